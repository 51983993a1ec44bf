"""Shared by the Python competitors: paths, the table and its keys, and a stopwatch for their phases.

Each competitor does the whole job as well as its library can: the member of the zip is decompressed to a file, because neither
library reads a zip and both read a file on every core; then come rules, small tables, rows and keys.
"""

import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

DATASETS = Path(os.environ["BENCH_DATASETS"])
SCRATCH = Path(os.environ["BENCH_SCRATCH"])
DATABASE_URL = os.environ["DATABASE_URL"]
YEAR = int(os.environ["BENCH_YEAR"])

MEMBER = "Covid19Casos.csv"

# The columns of the table, in its order, and those of the file.
COLUMNS = [
    "case_id", "sex", "age", "symptoms_on", "registered_on", "admitted_on", "icu", "ventilated", "died_on",
    "diagnosed_on", "registration_province_id", "residence_province_id", "residence_department_id", "classification",
]
SOURCE_COLUMNS = [
    "id_evento_caso", "sexo", "edad", "edad_años_meses", "fecha_inicio_sintomas", "fecha_apertura",
    "fecha_internacion", "cuidado_intensivo", "fecha_fallecimiento", "asistencia_respiratoria_mecanica",
    "carga_provincia_id", "clasificacion_resumen", "residencia_provincia_id", "fecha_diagnostico",
    "residencia_departamento_id", "ultima_actualizacion",
]

# The empty table has its keys; loading is faster without them.
WITHOUT_KEYS = """
    ALTER TABLE covid_case
        DROP CONSTRAINT covid_case_pkey,
        DROP CONSTRAINT covid_case_registration_province_fkey,
        DROP CONSTRAINT covid_case_residence_province_fkey,
        DROP CONSTRAINT covid_case_residence_department_fkey
"""
WITH_KEYS = """
    ALTER TABLE covid_case
        ADD CONSTRAINT covid_case_pkey PRIMARY KEY (case_id),
        ADD CONSTRAINT covid_case_registration_province_fkey
            FOREIGN KEY (registration_province_id) REFERENCES province,
        ADD CONSTRAINT covid_case_residence_province_fkey FOREIGN KEY (residence_province_id) REFERENCES province,
        ADD CONSTRAINT covid_case_residence_department_fkey
            FOREIGN KEY (residence_department_id) REFERENCES department
"""

# The common names; georef has the official ones.
SHORT_NAMES = {2: "CABA", 94: "Tierra del Fuego"}


class Phases:
    """A stopwatch: `done(name)` ends the phase that ran until now."""

    def __init__(self):
        self.start = self.last = time.perf_counter()
        self.seconds = {}

    def done(self, name):
        now = time.perf_counter()
        self.seconds[name] = now - self.last
        self.last = now

    def report(self, rows):
        phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.seconds.items())
        sys.stdout.write(f"{rows} rows in {time.perf_counter() - self.start:.2f} s: {phases}\n")


def unzip():
    """Decompresses the member to a file, which the benchmark removes."""
    target = SCRATCH / MEMBER
    with zipfile.ZipFile(DATASETS / "Covid19Casos.zip") as archive:
        member = next(name for name in archive.namelist() if name.rsplit("/", 1)[-1] == MEMBER)
        with archive.open(member) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    return target


def load(small_tables, cases, phases):
    """Loads Arrow tables or readers through ADBC, which writes binary COPY, and then adds the keys."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(DATABASE_URL) as connection, connection.cursor() as cursor:
        cursor.execute(WITHOUT_KEYS)
        for table, rows in small_tables.items():
            cursor.adbc_ingest(table, rows, mode="append")
        loaded = cursor.adbc_ingest("covid_case", cases, mode="append")
        connection.commit()
        phases.done("load")
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute(WITH_KEYS)
        connection.commit()
        phases.done("keys")
    return loaded
