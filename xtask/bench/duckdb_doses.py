"""The counts of doses with DuckDB: the member is decompressed to a file, which DuckDB reads once on every core for both groupings.

The counts go to a file of their own: writing them to PostgreSQL would take as long as ours and say nothing about DuckDB. The last line has the
number of groups and of doses, which are compared.
"""

import shutil
import sys
import zipfile

import duckdb

from common import DATASETS, SCRATCH, Phases

MEMBER = "datos_nomivac_covid19.csv"
CSV = "header = true, all_varchar = true"

KINDS = {
    "1ra": "first", "2da": "second", "3ra": "third", "4ta": "fourth", "5ta": "fifth", "Unica": "single",
    "Adicional": "additional", "Refuerzo": "booster",
}


def known(column):
    return f"nullif(nullif({column}, 'S.I.'), '')"


def department(kind):
    province = f"try_cast(jurisdiccion_{kind}_id AS INTEGER)"
    code = f"try_cast(depto_{kind}_id AS INTEGER)"
    return f"""CASE
        WHEN {code} = 0 OR {province} IN (0, 99) THEN NULL
        WHEN {province} = 2 THEN 2000 + 7 * {code}
        WHEN {province} = 94 AND {code} = 14 THEN 94015
        WHEN {province} = 94 AND {code} = 7 THEN 94008
        ELSE {province} * 1000 + {code} END"""


def main():
    phases = Phases()
    file = SCRATCH / MEMBER
    with zipfile.ZipFile(DATASETS / "datos_nomivac_covid19.zip") as archive:
        with archive.open(MEMBER) as source, open(file, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    phases.done("unzip")
    connection = duckdb.connect()
    kinds = " ".join(f"WHEN '{name}' THEN '{kind}'" for name, kind in KINDS.items())
    residence = "week, residence_province, residence_department, sex, age_group, dose"
    application = "week, application_province, application_department, vaccine, dose, condition"
    connection.execute(f"""
        COPY (
            SELECT grouping(sex) AS is_application, {residence}, application_province, application_department, vaccine, condition,
                   count(*) AS doses
            FROM (
                SELECT
                    try_cast(fecha_aplicacion AS DATE) - dayofweek(try_cast(fecha_aplicacion AS DATE))::INTEGER AS week,
                    {known("sexo")} AS sex, {known("grupo_etario")} AS age_group,
                    CASE nombre_dosis_generica {kinds} END AS dose,
                    nullif(nullif(try_cast(jurisdiccion_residencia_id AS SMALLINT), 0), 99) AS residence_province,
                    {department("residencia")} AS residence_department,
                    nullif(nullif(try_cast(jurisdiccion_aplicacion_id AS SMALLINT), 0), 99) AS application_province,
                    {department("aplicacion")} AS application_department,
                    {known("vacuna")} AS vaccine, {known("condicion_aplicacion")} AS condition
                FROM read_csv('{file}', {CSV})
            )
            GROUP BY GROUPING SETS (({residence}), ({application}))
        ) TO '{SCRATCH / "doses.parquet"}' (FORMAT parquet)
    """)
    phases.done("group")
    groups = connection.execute(f"""
        SELECT is_application, count(*), sum(doses) FROM '{SCRATCH / "doses.parquet"}' GROUP BY ALL ORDER BY 1
    """).fetchall()
    counted = " ".join(f"{groups} {doses}" for _, groups, doses in groups)
    seconds = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in phases.seconds.items())
    sys.stdout.write(f"{seconds}\n{counted}\n")


main()
