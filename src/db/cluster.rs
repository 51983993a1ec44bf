//! The nodes of a Citus cluster and the sizes of distributed tables; both are empty without Citus.
//!
//! A node's size is asked of the node itself. If one does not answer, all sizes are unknown, and the rest is still read.

use std::collections::BTreeMap;

use common::failure::Result;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::{answered, cannot_read, rows};

const CLUSTER: &str = "the nodes of Citus";

/// A node that holds shards, or can.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClusterNode {
    pub host: String,
    pub port: i32,
    pub is_active: bool,
    pub shards: i64,
    /// Bytes of its shards with their indexes; `None` if a node did not answer.
    pub size: Option<i64>,
}

/// Returns the nodes for shards in the order in which they were added.
pub async fn nodes(connection: &mut PgConnection) -> Result<Vec<ClusterNode>> {
    const SQL: &str = "
        SELECT nodename AS host, nodeport AS port, isactive AS is_active,
               (SELECT count(*) FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) JOIN pg_class ON pg_class.oid = logicalrelid
                WHERE pg_dist_placement.groupid = node.groupid AND relkind = 'r') AS shards
        FROM pg_dist_node AS node WHERE noderole = 'primary' AND shouldhaveshards ORDER BY nodeid";
    const SIZES: &str = "
        SELECT nodename, nodeport, sum(shard_size)::bigint
        FROM citus_shards JOIN pg_class ON pg_class.oid = table_name WHERE relkind = 'r' GROUP BY 1, 2";
    if !has_citus(connection).await? {
        return Ok(Vec::new());
    }
    let node = |row: &PgRow| {
        Ok(ClusterNode {
            host: row.try_get("host")?,
            port: row.try_get("port")?,
            is_active: row.try_get("is_active")?,
            shards: row.try_get("shards")?,
            size: None,
        })
    };
    let mut nodes = rows(connection, CLUSTER, sqlx::query(SQL), node).await?;
    let sizes: sqlx::Result<Vec<(String, i32, i64)>> =
        answered(sqlx::query_as(SIZES).fetch_all(connection)).await;
    if let Ok(sizes) = sizes {
        for node in &mut nodes {
            let of_node = sizes.iter().find(|(host, port, _)| *host == node.host && *port == node.port);
            node.size = Some(of_node.map_or(0, |(_, _, size)| *size));
        }
    }
    Ok(nodes)
}

/// Returns the bytes of each distributed table by its name, of which the server itself knows nothing. Empty if a node does not answer.
pub async fn table_sizes(connection: &mut PgConnection) -> Result<BTreeMap<String, i64>> {
    const SQL: &str = "
        SELECT relname::text, sum(shard_size)::bigint
        FROM citus_shards JOIN pg_class ON pg_class.oid = table_name WHERE relkind = 'r' GROUP BY 1";
    if !has_citus(connection).await? {
        return Ok(BTreeMap::new());
    }
    let sizes: sqlx::Result<Vec<(String, i64)>> = answered(sqlx::query_as(SQL).fetch_all(connection)).await;
    Ok(sizes.unwrap_or_default().into_iter().collect())
}

/// Returns the size of the largest node compared with the mean, in per cent: 100 is even. `None` if it is not known.
pub fn skew(nodes: &[ClusterNode]) -> Option<i64> {
    let sizes: Vec<i64> = nodes.iter().map(|node| node.size).collect::<Option<_>>()?;
    let (sum, count) = (sizes.iter().sum::<i64>(), i64::try_from(sizes.len()).ok()?);
    let largest = sizes.into_iter().max()?;
    (sum > 0).then(|| largest.saturating_mul(100).saturating_mul(count) / sum)
}

async fn has_citus(connection: &mut PgConnection) -> Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";
    answered(sqlx::query_scalar(SQL).fetch_one(connection)).await.map_err(cannot_read(CLUSTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(sizes: &[Option<i64>]) -> Vec<ClusterNode> {
        sizes.iter().map(|size| ClusterNode { size: *size, ..ClusterNode::default() }).collect()
    }

    #[test]
    fn skew_compares_the_largest_node_with_the_mean() {
        assert_eq!(skew(&nodes(&[Some(10), Some(10)])), Some(100));
        assert_eq!(skew(&nodes(&[Some(30), Some(10), Some(20)])), Some(150));
        assert_eq!(skew(&nodes(&[Some(10), Some(0)])), Some(200), "a new node");
        assert_eq!(skew(&nodes(&[Some(10), None])), None);
        assert_eq!(skew(&nodes(&[Some(0), Some(0)])), None);
        assert_eq!(skew(&[]), None);
    }
}
