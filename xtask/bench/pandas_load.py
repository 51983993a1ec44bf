"""A typical pandas loader, on the first lines of the file: read, clean, `to_sql`.

Prints its own rate, without the start of Python and pandas.
"""

import os
import zipfile

import pandas as pd
import sqlalchemy

from common import COLUMNS, DATABASE_URL, DATASETS, MEMBER, SOURCE_COLUMNS, Phases

DATES = {
    "fecha_inicio_sintomas": "symptoms_on",
    "fecha_apertura": "registered_on",
    "fecha_internacion": "admitted_on",
    "fecha_fallecimiento": "died_on",
    "fecha_diagnostico": "diagnosed_on",
}


def main():
    phases = Phases()
    with zipfile.ZipFile(DATASETS / "Covid19Casos.zip") as archive:
        member = next(name for name in archive.namelist() if name.rsplit("/", 1)[-1] == MEMBER)
        with archive.open(member) as file:
            lines = int(os.environ["BENCH_LINES"])
            cases = pd.read_csv(file, usecols=SOURCE_COLUMNS, dtype=str, nrows=lines)
    phases.done("read")

    # All years: those of the first lines are random, and only the rate matters.
    cases = cases.drop_duplicates("id_evento_caso")
    for source, column in DATES.items():
        cases[column] = pd.to_datetime(cases[source], format="%Y-%m-%d", errors="coerce").dt.date
    number = {name: pd.to_numeric(cases[name], errors="coerce").astype("Int64") for name in (
        "id_evento_caso", "edad", "carga_provincia_id", "residencia_provincia_id", "residencia_departamento_id")}
    cases["case_id"] = number["id_evento_caso"]
    cases["sex"] = cases["sexo"]
    cases["age"] = number["edad"].mask(cases["edad_años_meses"] == "Meses", 0)
    cases["icu"] = cases["cuidado_intensivo"] == "SI"
    cases["ventilated"] = cases["asistencia_respiratoria_mecanica"] == "SI"
    cases["registration_province_id"] = number["carga_provincia_id"]
    cases["residence_province_id"] = number["residencia_provincia_id"]
    cases["residence_department_id"] = number["residencia_provincia_id"] * 1000 + number["residencia_departamento_id"]
    cases["classification"] = cases["clasificacion_resumen"].str.strip()
    rows = cases[COLUMNS]
    phases.done("clean")

    engine = sqlalchemy.create_engine(DATABASE_URL.replace("postgres://", "postgresql+psycopg2://", 1))
    rows.to_sql("pandas_case", engine, index=False, if_exists="replace", chunksize=10_000)
    phases.done("write")
    phases.report(len(rows))


main()
