-- The estimates of each load: nowcast and reproduction number by day, corrected fatality, waves.
--
-- Quick on a full database: new, empty tables and functions. A load writes its rows before it is published, with the id of its run, as it does its
-- counts; the functions give those of the published release. Loads of earlier versions have none. Unlike counts, the days that a later release
-- can still change are kept for every release that was published and not rolled back: they show how good the estimates were.

CREATE TABLE daily_estimate (
    run_id         uuid NOT NULL,
    as_of          date NOT NULL,
    province_id    smallint,
    day            date NOT NULL,
    reported       bigint NOT NULL,
    undated        bigint NOT NULL,
    share_reported double precision NOT NULL,
    expected       double precision NOT NULL,
    low            bigint NOT NULL,
    median         bigint NOT NULL,
    high           bigint NOT NULL,
    window_cases   double precision,
    r_mean         double precision,
    r_sd           double precision,
    r_q025         double precision,
    r_median       double precision,
    r_q975         double precision,
    r_seven_day    double precision
);
CREATE INDEX daily_estimate_run_idx ON daily_estimate (run_id, province_id);
COMMENT ON TABLE daily_estimate IS 'Confirmed cases by reference day as reported and as expected, and the reproduction number, as each release estimated them; use daily_estimates() for the published ones.';
COMMENT ON COLUMN daily_estimate.as_of IS 'The newest registration of the release.';
COMMENT ON COLUMN daily_estimate.province_id IS 'The province of residence; null is the country, with cases of unknown residence.';
COMMENT ON COLUMN daily_estimate.day IS 'The day of first symptoms; of registration, for cases without a date of symptoms or with one after their registration.';
COMMENT ON COLUMN daily_estimate.reported IS 'Cases registered within 60 days.';
COMMENT ON COLUMN daily_estimate.undated IS 'Those of them that count on the day of their registration.';
COMMENT ON COLUMN daily_estimate.share_reported IS 'The share of the cases with a date of symptoms that is usually registered by then.';
COMMENT ON COLUMN daily_estimate.expected IS 'Expected cases once all are registered; low to high is the 95 % prediction interval.';
COMMENT ON COLUMN daily_estimate.window_cases IS 'Expected cases in the seven days that end on this day, to which the reproduction number belongs.';
COMMENT ON COLUMN daily_estimate.r_mean IS 'The reproduction number (Cori et al. 2013): the mean of its posterior. r_q025 to r_q975 is the 95 % interval.';
COMMENT ON COLUMN daily_estimate.r_seven_day IS 'The seven-day R of the Robert Koch-Institut.';

CREATE TABLE fatality_estimate (
    run_id         uuid NOT NULL,
    age_group      text NOT NULL,
    age_decade     smallint,
    confirmed      bigint NOT NULL,
    died           bigint NOT NULL,
    outcomes       double precision NOT NULL,
    naive          double precision NOT NULL,
    naive_low      double precision NOT NULL,
    naive_high     double precision NOT NULL,
    corrected      double precision,
    corrected_low  double precision,
    corrected_high double precision,
    delay_mean     double precision NOT NULL,
    delay_deaths   bigint NOT NULL
);
CREATE INDEX fatality_estimate_run_idx ON fatality_estimate (run_id);
COMMENT ON TABLE fatality_estimate IS 'The case fatality by age, as counted and corrected for the delay to death; use fatality_estimates().';
COMMENT ON COLUMN fatality_estimate.age_group IS 'decade, unknown, all.';
COMMENT ON COLUMN fatality_estimate.outcomes IS 'Expected cases whose outcome is known.';
COMMENT ON COLUMN fatality_estimate.delay_deaths IS 'The deaths that the delay was estimated from; 0 for the published delay.';

CREATE TABLE wave_estimate (
    run_id       uuid NOT NULL,
    wave         smallint NOT NULL,
    starts_on    date NOT NULL,
    peak_on      date NOT NULL,
    ends_on      date NOT NULL,
    peak_level   double precision NOT NULL,
    is_confirmed boolean NOT NULL,
    confirmed    bigint NOT NULL,
    died         bigint NOT NULL
);
CREATE INDEX wave_estimate_run_idx ON wave_estimate (run_id);
COMMENT ON TABLE wave_estimate IS 'The waves of the country; use wave_estimates().';
COMMENT ON COLUMN wave_estimate.peak_level IS 'Cases per day at the peak: the mean of seven days.';
COMMENT ON COLUMN wave_estimate.is_confirmed IS 'Whether the cases have fallen to half of the peak since.';

CREATE FUNCTION daily_estimates() RETURNS SETOF daily_estimate LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM public.daily_estimate WHERE run_id = (SELECT public.published_load())
$$;
COMMENT ON FUNCTION daily_estimates IS 'The nowcast and the reproduction number of the published release.';

CREATE FUNCTION fatality_estimates() RETURNS SETOF fatality_estimate LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM public.fatality_estimate WHERE run_id = (SELECT public.published_load())
$$;
COMMENT ON FUNCTION fatality_estimates IS 'The case fatality of the published release.';

CREATE FUNCTION wave_estimates() RETURNS SETOF wave_estimate LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM public.wave_estimate WHERE run_id = (SELECT public.published_load())
$$;
COMMENT ON FUNCTION wave_estimates IS 'The waves of the published release.';

-- Releases that were published and are not known to be bad; of several loads with the same newest registration, the one published last.
CREATE FUNCTION release_history() RETURNS TABLE (run_id uuid, as_of date) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT DISTINCT ON (estimated.as_of) release.run_id, estimated.as_of
    FROM public.release
    CROSS JOIN LATERAL (SELECT daily_estimate.as_of FROM public.daily_estimate WHERE daily_estimate.run_id = release.run_id LIMIT 1) AS estimated
    WHERE release.publication IS NOT NULL AND NOT release.rolled_back
    ORDER BY estimated.as_of, release.publication DESC
$$;
COMMENT ON FUNCTION release_history IS 'The loads whose estimates are compared with later ones, by the day of their newest registration.';

CREATE FUNCTION past_estimates() RETURNS TABLE (
    as_of          date,
    province_id    smallint,
    day            date,
    share_reported double precision,
    expected       double precision,
    low            bigint,
    high           bigint,
    reported_since bigint,
    r_mean         double precision,
    r_q025         double precision,
    r_q975         double precision,
    r_since        double precision
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT before.as_of, before.province_id, before.day, before.share_reported, before.expected, before.low, before.high, now.reported,
           before.r_mean, before.r_q025, before.r_q975, now.r_mean
    FROM public.release_history() AS history
    JOIN public.daily_estimate AS before USING (run_id)
    JOIN public.daily_estimates() AS now ON now.day = before.day AND now.province_id IS NOT DISTINCT FROM before.province_id
    WHERE before.as_of < now.as_of AND before.share_reported < 0.99 AND now.share_reported >= 0.98
$$;
COMMENT ON FUNCTION past_estimates IS 'What earlier releases estimated for days of which less than 99 % of the cases were registered then, and of which the published release has at least 98 %: intervals of nearly complete days cover the final number with any method.';
