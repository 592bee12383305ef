"""The words that the desk's scripts say."""


def desk_words() -> dict[str, str]:
    return {}
