"""The whole job with Polars: a lazy scan on the streaming engine, rows to PostgreSQL through ADBC."""

import datetime

import polars as pl

from common import COLUMNS, DATASETS, SHORT_NAMES, SOURCE_COLUMNS, YEAR, Phases, load, unzip


def integer(column, dtype=pl.Int64):
    return pl.col(column).cast(dtype, strict=False)


def date(column, last, first=datetime.date(1900, 1, 1)):
    value = pl.col(column).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(value.is_between(first, last)).then(value)


def main():
    phases = Phases()
    file = unzip()
    phases.done("unzip")

    text = {"infer_schema": False, "null_values": ["", "NA"]}
    provinces = pl.read_csv(DATASETS / "provincias.csv", **text).select(
        integer("id", pl.Int16).alias("province_id"),
        integer("id", pl.Int64).replace_strict(SHORT_NAMES, default=pl.col("nombre"), return_dtype=pl.String).alias("name"),
    )
    departments = pl.read_csv(DATASETS / "departamentos.csv", **text).select(
        integer("id", pl.Int32).alias("department_id"),
        pl.col("nombre").alias("name"),
        integer("provincia_id", pl.Int16).alias("province_id"),
    )
    known = provinces["province_id"].to_list()

    cases = pl.scan_csv(file, **text).select(SOURCE_COLUMNS)
    updated_on = datetime.date.fromisoformat(
        cases.select("ultima_actualizacion").filter(pl.col("ultima_actualizacion").is_not_null()).head(1).collect().item()
    )
    last = updated_on + datetime.timedelta(days=1)
    registered_on = pl.col("fecha_apertura").str.to_date("%Y-%m-%d", strict=False)
    residence = integer("residencia_provincia_id", pl.Int16)
    department = integer("residencia_departamento_id", pl.Int32)
    age = integer("edad", pl.Int32)

    wanted = (
        cases
        # The year first, as text: cheap, and it drops most rows.
        .filter(pl.col("fecha_apertura").str.starts_with(f"{YEAR}-"))
        .with_columns(registered_on.alias("registered_on"))
        .filter(
            pl.col("registered_on") <= updated_on,
            integer("id_evento_caso") > 0,
            integer("carga_provincia_id", pl.Int16).is_in(known),
        )
        .with_columns(pl.when(residence.is_in(known)).then(residence).alias("residence_province_id"))
        .select(
            integer("id_evento_caso").alias("case_id"),
            pl.col("sexo").alias("sex"),
            pl.when(age.is_between(0, 120))
            .then(pl.when(pl.col("edad_años_meses") == "Meses").then(0).otherwise(age))
            .cast(pl.Int16)
            .alias("age"),
            date("fecha_inicio_sintomas", last).alias("symptoms_on"),
            "registered_on",
            date("fecha_internacion", last).alias("admitted_on"),
            (pl.col("cuidado_intensivo") == "SI").fill_null(False).alias("icu"),
            (pl.col("asistencia_respiratoria_mecanica") == "SI").fill_null(False).alias("ventilated"),
            date("fecha_fallecimiento", last).alias("died_on"),
            date("fecha_diagnostico", last).alias("diagnosed_on"),
            integer("carga_provincia_id", pl.Int16).alias("registration_province_id"),
            "residence_province_id",
            pl.when(pl.col("residence_province_id") == 2)
            .then(2000 + 7 * department)
            .when((pl.col("residence_province_id") == 94) & (department == 14))
            .then(94015)
            .when((pl.col("residence_province_id") == 94) & (department == 7))
            .then(94008)
            .otherwise(pl.col("residence_province_id").cast(pl.Int32) * 1000 + department)
            .cast(pl.Int32)
            .alias("department_code"),
            pl.col("clasificacion_resumen").str.strip_chars().str.replace_all(r"\s+", " ").alias("classification"),
        )
        .collect(engine="streaming")
    )
    # The first row of a case in the order of the file is kept. Duplicates are few: only they are sorted.
    doubled = wanted["case_id"].is_duplicated()
    if doubled.any():
        kept = wanted.with_row_index().filter(doubled).unique("case_id", keep="first", maintain_order=True)["index"]
        wanted = wanted.with_row_index().filter(~doubled | pl.col("index").is_in(kept.implode())).drop("index")
    codes = departments.select(
        pl.col("department_id").alias("residence_department_id"),
        pl.col("department_id").alias("department_code"),
        pl.col("province_id").alias("residence_province_id"),
    )
    rows = wanted.join(codes, on=["residence_province_id", "department_code"], how="left", nulls_equal=False)
    rows = rows.select(COLUMNS)
    phases.done("transform")
    small_tables = {"province": provinces.to_arrow(), "department": departments.to_arrow()}
    phases.report(load(small_tables, rows.to_arrow(), phases))


main()
