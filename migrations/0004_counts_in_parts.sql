-- Counts are made while the cases are loaded, and may be written in several parts.
--
-- Quick on a full database: comments only.

COMMENT ON TABLE case_count IS 'The cases of a load, counted. Kept for the published load and for the release before it; ask case_counts() for the published ones. A key may have several lines: add them up.';
COMMENT ON TABLE place_count IS 'The confirmed cases of a load by their places, counted; ask place_counts(), and add up.';
COMMENT ON TABLE delay_count IS 'The confirmed cases of a load by the days of their registration and of their first symptoms; ask delay_counts(), and add up.';
COMMENT ON FUNCTION count_cases IS 'Counts the published cases now, for a load that has left no counts. A load counts the same in etl/src/count.';
