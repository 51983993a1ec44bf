"""The whole job with DuckDB: rules in SQL, rows to PostgreSQL as Arrow batches through ADBC.

DuckDB's postgres extension is not on PyPI for every version; Arrow and ADBC are, and write the same binary COPY. With DuckDB 1.5,
whose extension is on PyPI, the extension loads 1.3 million rows in 2.7 instead of 3.7 s, and the whole job takes 12 to 15 s
either way.
"""

import duckdb

from common import COLUMNS, DATASETS, SHORT_NAMES, YEAR, Phases, load, unzip

CSV = "header = true, all_varchar = true, nullstr = ['', 'NA']"


def date(column, first, last):
    value = f"try_cast({column} AS DATE)"
    return f"CASE WHEN {value} BETWEEN DATE '{first}' AND {last} THEN {value} END"


def main():
    phases = Phases()
    file = unzip()
    phases.done("unzip")

    connection = duckdb.connect()
    run = connection.execute
    for name in ("provincias", "departamentos"):
        run(f"CREATE TABLE {name} AS FROM read_csv('{DATASETS / (name + '.csv')}', {CSV})")
    short_names = " ".join(f"WHEN {code} THEN '{name}'" for code, name in SHORT_NAMES.items())
    run(f"""
        CREATE TABLE province AS
        SELECT id::SMALLINT AS province_id, CASE id::SMALLINT {short_names} ELSE nombre END AS name FROM provincias
    """)
    run("""
        CREATE TABLE department AS
        SELECT id::INTEGER AS department_id, nombre AS name, provincia_id::SMALLINT AS province_id FROM departamentos
    """)
    cases = f"read_csv('{file}', {CSV})"
    (updated_on,) = run(f"""
        SELECT try_cast(ultima_actualizacion AS DATE) FROM {cases} WHERE ultima_actualizacion IS NOT NULL LIMIT 1
    """).fetchone()
    last = f"DATE '{updated_on}' + 1"

    # The filters come first, so that the costly expressions are evaluated for the wanted rows only.
    run(f"""
        CREATE TABLE wanted AS
        SELECT
            try_cast(id_evento_caso AS BIGINT) AS case_id,
            sexo AS sex,
            CASE WHEN try_cast(edad AS INTEGER) BETWEEN 0 AND 120
                THEN if(edad_años_meses = 'Meses', 0, try_cast(edad AS INTEGER)) END::SMALLINT AS age,
            {date("fecha_inicio_sintomas", "1900-01-01", last)} AS symptoms_on,
            try_cast(fecha_apertura AS DATE) AS registered_on,
            {date("fecha_internacion", "1900-01-01", last)} AS admitted_on,
            coalesce(cuidado_intensivo = 'SI', false) AS icu,
            coalesce(asistencia_respiratoria_mecanica = 'SI', false) AS ventilated,
            {date("fecha_fallecimiento", "1900-01-01", last)} AS died_on,
            {date("fecha_diagnostico", "1900-01-01", last)} AS diagnosed_on,
            try_cast(carga_provincia_id AS SMALLINT) AS registration_province_id,
            residence.province_id AS residence_province_id,
            CASE
                WHEN residence.province_id = 2 THEN 2000 + 7 * try_cast(residencia_departamento_id AS INTEGER)
                WHEN residence.province_id = 94 AND try_cast(residencia_departamento_id AS INTEGER) = 14 THEN 94015
                WHEN residence.province_id = 94 AND try_cast(residencia_departamento_id AS INTEGER) = 7 THEN 94008
                ELSE residence.province_id::INTEGER * 1000 + try_cast(residencia_departamento_id AS INTEGER)
            END AS department_code,
            trim(regexp_replace(clasificacion_resumen, '\\s+', ' ', 'g')) AS classification
        FROM {cases}
        LEFT JOIN province AS residence ON residence.province_id = try_cast(residencia_provincia_id AS SMALLINT)
        WHERE try_cast(fecha_apertura AS DATE) BETWEEN DATE '{YEAR}-01-01' AND least(DATE '{YEAR}-12-31', DATE '{updated_on}')
            AND try_cast(id_evento_caso AS BIGINT) > 0
            AND try_cast(carga_provincia_id AS SMALLINT) IN (SELECT province_id FROM province)
    """)
    # The first row of a case in the order of the file is kept. Duplicates are few: finding them first is cheaper than sorting.
    run("""
        DELETE FROM wanted USING
            (SELECT case_id AS id, min(rowid) AS first FROM wanted GROUP BY case_id HAVING count(*) > 1) AS doubled
        WHERE case_id = id AND wanted.rowid <> first
    """)
    columns = ", ".join(
        "department.department_id AS residence_department_id" if column == "residence_department_id" else f"wanted.{column}"
        for column in COLUMNS
    )
    # Before the rows: an open reader occupies the connection.
    small_tables = {
        "province": connection.sql("FROM province").to_arrow_table(),
        "department": connection.sql("FROM department").to_arrow_table(),
    }
    rows = connection.sql(f"""
        SELECT {columns} FROM wanted LEFT JOIN department
            ON department.department_id = department_code AND department.province_id = residence_province_id
    """).to_arrow_reader(100_000)
    phases.done("transform")
    phases.report(load(small_tables, rows, phases))


main()
