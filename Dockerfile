# syntax=docker/dockerfile:1
# The image of the tasks: the program `etl` and what it needs to trust S3 and RDS, nothing else. It runs as a user without rights, under a
# read-only root file system; only /tmp is written to, and only where ids are too sparse for memory.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /source
COPY . .
# Dependencies are compiled once: both caches outlive a change of our own code.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --profile dist --package etl --bin etl \
    && install -D -m 0555 target/dist/etl /image/usr/local/bin/etl \
    && install -d -m 1777 /image/tmp \
    && install -D -m 0444 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt
# checkov:skip=CKV_DOCKER_4:COPY cannot fetch, and this one is published here alone
# The authorities that RDS signs its servers with, for sslmode=verify-full.
ADD --chmod=0444 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /image/etc/ssl/certs/rds.pem

FROM debian:12.12-slim
# A task ends by itself, and its exit code says how: nothing asks after its health.
# checkov:skip=CKV_DOCKER_2:A task is no server; it ends, and its exit code says how
COPY --from=build /image/ /
# A volume that is mounted here keeps the owner and the mode that the folder has in the image.
VOLUME /tmp
USER 10001:10001
ENV LOG_FORMAT=json
ENTRYPOINT ["/usr/local/bin/etl"]
CMD ["run"]
