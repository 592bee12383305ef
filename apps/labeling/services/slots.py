"""What is read and written to hand out the next slots: two statements."""

# What a lease needs to know comes along: the example, a guess from outside, the guidelines in force. Somebody paused is
# given nothing, nobody holds more than `most`, and of two slots of one example the first is taken.
NEXT = """
    WITH slot AS MATERIALIZED (
        SELECT f.id, f.example_id, f.slot, f.lane, f.rank, f.reason, f.run_number, f.selection_probability
        FROM labeling_frontieritem f
        WHERE f.project_id = %(project)s AND f.lane = %(lane)s
          AND (f.leased_until IS NULL OR f.leased_until < %(at)s)
          AND (SELECT count(*) FROM labeling_assignment a  -- NOT EXISTS would be a join over all that was ever answered
               WHERE a.example_id = f.example_id
                 AND (a.slot = f.slot AND a.state = 'answered'  -- a slot put back by a draw that ran beside its answer
                   OR a.holder_id = %(holder)s
                     AND (a.state IN ('answered', 'skipped') OR (a.state = 'leased' AND a.leased_until >= %(at)s)))) = 0
        ORDER BY f.rank
        LIMIT (SELECT CASE WHEN EXISTS (SELECT 1 FROM labeling_pause WHERE project_id = %(project)s
                       AND person_id = %(holder)s AND lifted_at IS NULL) THEN 0
                   ELSE GREATEST(0, LEAST(%(count)s, %(most)s - (SELECT count(*) FROM labeling_assignment
                       WHERE project_id = %(project)s AND holder_id = %(holder)s
                         AND state = 'leased' AND leased_until >= %(at)s))) END)
        FOR UPDATE OF f SKIP LOCKED
    ), chosen AS MATERIALIZED (
        SELECT DISTINCT ON (example_id) * FROM slot ORDER BY example_id, rank
    ), taken AS (
        UPDATE labeling_frontieritem f SET leased_until = %(until)s FROM chosen c WHERE f.id = c.id
    ), expired AS (
        UPDATE labeling_assignment a SET state = 'expired' FROM chosen c
        WHERE a.example_id = c.example_id AND a.state = 'leased' AND a.leased_until < %(at)s
          AND (a.holder_id = %(holder)s OR a.slot = c.slot)
    )
    SELECT c.example_id, e.external_id, e.fields, c.slot, c.lane, c.rank, c.reason, c.run_number,
           c.selection_probability, p.model_version, p.label, p.value, p.confidence, g.id, g.number
    FROM chosen c
    JOIN datasets_example e ON e.id = c.example_id
    LEFT JOIN LATERAL (
        SELECT q.model_version, s.name AS label, q.value, q.confidence FROM labeling_importedprediction q
        LEFT JOIN projects_schemalabel s ON s.id = q.label_id
        WHERE q.example_id = c.example_id ORDER BY q.at DESC, q.id DESC LIMIT 1) p ON true
    LEFT JOIN LATERAL (
        SELECT v.id, v.number FROM projects_guidelineversion v
        WHERE v.project_id = %(project)s ORDER BY v.number DESC LIMIT 1) g ON true
    ORDER BY c.rank
"""

# What this person holds, whether they are paused, and which lanes have anything at all: a lane is not drawn in vain.
ROOM = """
    SELECT ARRAY(SELECT id FROM labeling_assignment WHERE project_id = %(project)s AND holder_id = %(holder)s
              AND state = 'leased' AND leased_until >= %(at)s),
           EXISTS (SELECT 1 FROM labeling_pause WHERE project_id = %(project)s AND person_id = %(holder)s
              AND lifted_at IS NULL),
           ARRAY(SELECT lane FROM unnest(%(lanes)s::text[]) AS x(lane) WHERE CASE lane
              WHEN 'gold' THEN EXISTS (SELECT 1 FROM labeling_golditem g WHERE g.project_id = %(project)s)
              ELSE (SELECT f.id FROM labeling_frontieritem f WHERE f.project_id = %(project)s AND f.lane = x.lane
                    ORDER BY f.rank LIMIT 1) IS NOT NULL END)  -- EXISTS would drop the order, and with it the index
"""
