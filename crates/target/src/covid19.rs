//! Names of the pipeline that the stacks deploy, which the local target shares with it.

/// The log sources in the order of the pipeline, and their log groups.
pub const LOG_SOURCES: [(&str, &str); 4] = [
    ("lambda", "/aws/lambda/covid19-download"),
    ("etl", "/ecs/covid19-etl"),
    ("report", "/ecs/covid19-report"),
    ("metabase", "/ecs/covid19-metabase"),
];

/// The log group of the database server.
pub const SERVER_LOG_GROUP: &str = "/aws/rds/instance/covid19-master/postgresql";

/// Name of the database.
pub const DATABASE: &str = "covid19";
