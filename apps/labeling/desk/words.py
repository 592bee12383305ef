"""The words that the desk's scripts say. They go to the page as JSON; `{names}` are filled in the browser.

What is counted has two entries, `_one` and `_many`.
"""

from django.utils.translation import gettext as _

from apps.labeling.models import Lane


def desk_words() -> dict[str, str]:
    return {**_sending(), **_screen(), **_answers(), **_spans(), **_boxes(), **_keys(), **_lanes()}


def _sending() -> dict[str, str]:
    return {
        "unreachable": _("The console cannot be reached."),
        "answered_status": _("The console answered {status}."),
        "signed_out": _("You were signed out."),
        "signed_out_title": _("You were signed out"),
        "sign_in": _("Sign in"),
        "sign_in_why_one": _("You were signed out. One answer waits in this browser and leaves once you are back."),
        "sign_in_why_many": _("You were signed out. {n} answers wait in this browser and leave once you are back."),
        "sign_in_why_none": _("You were signed out. Nothing is lost: sign in here and go on."),
        "somebody_else": _("Somebody else is signed in now."),
        "somebody_else_title": _("This is no longer your session"),
        "somebody_else_next": _("Reload the page to label as the person who is signed in."),
        "strangers_one": _(
            "One answer by somebody else waits in this browser. It leaves when that person signs in here."
        ),
        "strangers_many": _("{n} answers by others wait in this browser. They leave when those people sign in here."),
        "not_connected": _("Not connected since {since}. Keep going: answers are sent when the line is back."),
        "console_ill": _("The console has not taken answers since {since}. Keep going: they are sent again and again."),
        "kept_here_one": _("One answer is kept in this browser."),
        "kept_here_many": _("{n} answers are kept in this browser."),
        "more_here_one": _("One more example is already here."),
        "more_here_many": _("{n} more examples are already here."),
        "answers_wait_one": _("1 answer waits to be sent"),
        "answers_wait_many": _("{n} answers wait to be sent"),
        "on_the_way_one": _("1 answer on the way"),
        "on_the_way_many": _("{n} answers on the way"),
        "all_saved": _("All answers saved"),
        "not_taken": _("Your answer “{answer}” was not taken. {why}"),
        "nothing_lasts": _(
            "This browser keeps no data, so answers on their way are lost with this tab. Leave it open."
        ),
        "other_tabs_one": _("This project is open in another tab too. Each has examples of its own; nothing is lost."),
        "other_tabs_many": _("This project is open in {n} other tabs. Each has examples of its own; nothing is lost."),
    }


def _screen() -> dict[str, str]:
    return {
        "answers_one": _("1 answer"),
        "answers_many": _("{n} answers"),
        "seconds_each": _("{s} s each"),
        "of": _("{n} of {all}"),
        "reviews_wait_one": _("1 review waits"),
        "reviews_wait_many": _("{n} reviews wait"),
        "painted_in": _("Answer to the next example: {ms} ms"),
        "ahead_one": _("1 prefetched"),
        "ahead_many": _("{n} prefetched"),
        "fetching": _("Fetching examples"),
        "last_on_their_way": _("Your last answers are on their way."),
        "frees_at": _("The first frees at {time}; it is then fetched by itself."),
        "offline": _("Offline"),
        "offline_empty": _("The console cannot be reached and no more examples are here."),
        "no_example_came": _("No example came"),
        "sure": _("{n} % sure"),
        "given_under": _("This example was given under version {n}."),
        "guidelines_short": _("guidelines {n}"),
        "flagged": _("flagged"),
        "commented": _("with a comment"),
        "waits": _("waits to be sent"),
        "retired_since": _("retired since: {labels}"),
        "change_this": _("Change this answer"),
        "changing": _("You answered “{answer}”. What you send now replaces it."),
        "changed": _("Changed to {answer}."),
        "answered_next": _("{answer}. Next: {next}"),
        "undone": _("{answer} is undone."),
        "cannot_undo_now": _("The console cannot be reached, so this answer cannot be undone now. It can be changed."),
        "skipped": _("Skipped: {why}"),
        "flag_on": _("Flagged. Somebody looks at this example again."),
        "flag_off": _("The flag is off."),
        "comment_kept": _("A comment goes with this answer."),
        "say_why": _("Say why the answers differed; then yours is sent."),
        "gold_said": _("A check: you said {answer}, the known answer is {expected}."),
        "empty_cell": _("empty"),
        "no_label_has_these_letters": _("No label has these letters."),
        "retired_now": _("No longer offered: {labels}. Choose another label."),
        "label_retired": _("{label} (retired)"),
    }


def _answers() -> dict[str, str]:
    return {
        "none_of_the_labels": _("none of the labels"),
        "label_on": _("{label} is on."),
        "label_off": _("{label} is off."),
        "send_labels_one": _("Send 1 label"),
        "send_labels_many": _("Send {n} labels"),
        "send_no_label": _("None fits"),
        "sure_no_label": _("No label is on. Press Enter again to say that none fits."),
    }


def _spans() -> dict[str, str]:
    return {
        "no_spans": _("no spans"),
        "send_spans_one": _("Send 1 span"),
        "send_spans_many": _("Send {n} spans"),
        "send_no_span": _("Nothing to mark"),
        "sure_no_span": _("No span is named. Press Enter again to say that there is none."),
        "text_label": _("The text. Arrows move by word, with Shift they extend; a label’s key names what is chosen."),
        "choose_words": _("Choose words: with the pointer, or with the arrow keys."),
        "choose_first": _("Choose words first, then a label."),
        "chosen": _("“{words}” is chosen. A label names it."),
        "chosen_named": _("“{words}” is {label}. Another label renames it."),
        "span_named": _("“{words}” is {label}."),
        "span_removed": _("“{words}” is no span any more."),
        "spans_overlap": _(
            "“{words}” is {label} already, and spans cannot overlap. Remove it first, or choose fewer words."
        ),
    }


def _boxes() -> dict[str, str]:
    return {
        "no_boxes": _("no boxes"),
        "send_boxes_one": _("Send 1 box"),
        "send_boxes_many": _("Send {n} boxes"),
        "send_no_box": _("Nothing to box"),
        "sure_no_box": _("There is no box. Press Enter again to say that nothing is to be boxed."),
        "boxes_label": _("Boxes on the image"),
        "box_unnamed": _("no label yet"),
        "box_name": _("Box {n}, {label}: {width} by {height} pixels at {x}, {y}"),
        "draw_a_box": _("Draw a box with the pointer, or make one with its key."),
        "box_made": _("A new box. A label names it."),
        "box_made_named": _("A new box, {label}. Another label renames it."),
        "choose_box_first": _("Choose or draw a box first, then a label."),
        "boxes_left_one": _("Removed. 1 box is left."),
        "boxes_left_many": _("Removed. {n} boxes are left."),
        "boxes_unnamed_one": _("One box has no label. Name it or remove it, then send."),
        "boxes_unnamed_many": _("{n} boxes have no label. Name or remove them, then send."),
    }


def _keys() -> dict[str, str]:
    return {
        "key_space": _("Space"),
        "key_enter": _("Enter"),
        "key_esc": _("Esc"),
        "key_del": _("Del"),
        "key_tab": _("Tab"),
        "key_shift": _("Shift"),
        "key_ctrl": _("Ctrl or Alt"),
        "keys_label": _("Answer {label}"),
        "keys_toggle": _("{label} on or off"),
        "keys_name": _("Name the chosen words {label}"),
        "keys_name_box": _("Name the box {label}"),
        "keys_find": _("Filter all labels; Enter takes the first"),
        "keys_accept": _("Accept the suggestion"),
        "keys_take": _("Take the suggestion over and change it"),
        "keys_send": _("Send"),
        "keys_skip": _("Skip with a reason"),
        "keys_no_skip": _("Do not skip"),
        "keys_back": _("Back to the answer"),
        "keys_flag": _("Flag, so that somebody looks again"),
        "keys_comment": _("Comment"),
        "keys_undo_one": _("Undo the last answer"),
        "keys_undo_many": _("Undo the last answer, up to {n} back"),
        "keys_change": _("Change one of the last answers: arrows, then Enter"),
        "keys_guidelines": _("Guidelines"),
        "keys_leave_change": _("Leave the old answer as it is"),
        "keys_close_gold": _("Close the note about the check"),
        "keys_word": _("Move by word"),
        "keys_extend": _("Extend or shorten by a word"),
        "keys_begin": _("Move the beginning by a letter"),
        "keys_end": _("Move the end by a letter"),
        "keys_line": _("Move by line"),
        "keys_remove_span": _("Remove the chosen span"),
        "keys_new_box": _("New box in the middle"),
        "keys_walk_boxes": _("From box to box"),
        "keys_move": _("Move the box"),
        "keys_size": _("Resize the box"),
        "keys_move_fine": _("Move the box by one pixel"),
        "keys_size_fine": _("Resize the box by one pixel"),
        "keys_remove_box": _("Remove the box"),
        "keys_nearer": _("Zoom in"),
        "keys_farther": _("Zoom out"),
    }


def _lanes() -> dict[str, str]:
    words = {
        Lane.ACTIVE: _("Active lane"),
        Lane.RANDOM: _("Random lane"),
        Lane.HOLDOUT: _("Holdout lane"),
        Lane.AUDIT: _("Audit lane"),
        Lane.GOLD: _("Active lane"),  # told apart it would be answered with more care than the rest
        Lane.RELABEL: _("Second look"),
        Lane.REVIEW: _("Review"),
        Lane.DRIFT: _("Drift lane"),
        Lane.BULK: _("Labeled together with others"),
    }
    return {f"lane_{lane}": word for lane, word in words.items()}
