-- Doses by month and vaccine: the seven vaccines with the most doses, and all others together, with doses of unknown vaccine.
--
-- A week belongs to the month of its Wednesday. Every month from the first dose to the last has a row for each vaccine. Doses of unknown date
-- have none. No rows if the load had no register of doses.
WITH monthly AS MATERIALIZED (
    SELECT date_trunc('month', week_starts_on + 3)::date AS month, vaccine, sum(doses) AS doses
    FROM dose_application_count
    WHERE week_starts_on IS NOT NULL
    GROUP BY 1, vaccine
),
largest AS (
    SELECT vaccine, row_number() OVER (ORDER BY sum(doses) DESC, vaccine COLLATE "C") AS place
    FROM monthly
    WHERE vaccine IS NOT NULL
    GROUP BY vaccine
    ORDER BY place
    LIMIT 7
),
line AS (
    SELECT vaccine, place FROM largest
    UNION ALL
    SELECT NULL, 8
),
calendar AS (
    SELECT generate_series(min(month), max(month), interval '1 month')::date AS month FROM monthly
),
named AS (
    SELECT month, largest.vaccine, sum(doses) AS doses
    FROM monthly
    LEFT JOIN largest ON largest.vaccine = monthly.vaccine
    GROUP BY month, largest.vaccine
)
SELECT calendar.month,
       line.vaccine,
       coalesce(named.doses, 0)::bigint AS doses
FROM calendar
CROSS JOIN line
LEFT JOIN named ON named.month = calendar.month AND named.vaccine IS NOT DISTINCT FROM line.vaccine
ORDER BY calendar.month, line.place;
