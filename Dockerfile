# syntax=docker/dockerfile:1
# The image of the tasks: the program `etl` and the CA certificates for S3 and RDS. It runs as an unprivileged user with a read-only root
# file system; it writes to /tmp only, and only if case ids are too sparse for memory.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /source
COPY . .
# The caches keep the registry and compiled dependencies between builds.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --profile dist --package etl --bin etl \
    && install -D -m 0555 target/dist/etl /image/usr/local/bin/etl \
    && install -d -m 1777 /image/tmp \
    && install -D -m 0444 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt
# checkov:skip=CKV_DOCKER_4:COPY cannot download, and RDS publishes its bundle at this URL only
# CA bundle of RDS, for sslmode=verify-full.
ADD --chmod=0444 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /image/etc/ssl/certs/rds.pem

FROM debian:12.12-slim
# checkov:skip=CKV_DOCKER_2:A task is not a server; it ends with an exit code
COPY --from=build /image/ /
# A volume that is mounted here gets the owner and mode of this directory.
VOLUME /tmp
USER 10001:10001
ENV LOG_FORMAT=json
ENTRYPOINT ["/usr/local/bin/etl"]
CMD ["run"]
