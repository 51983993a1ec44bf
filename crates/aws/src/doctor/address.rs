//! Checks whether the bastion's security group allows the public address of this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use common::failure::Result;

use crate::api_error::ApiContext as _;
use crate::clients::Clients;
use crate::ec2::IngressRule;
use crate::https_text;
use target::Check;

/// Returns the public address of the client.
const CHECKIP_URL: &str = "https://checkip.amazonaws.com";

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

const SSH: i32 = 22;

/// `group` is the bastion's security group.
pub(crate) async fn check(clients: &Clients, group: Option<&str>, mine: Option<Ipv4Addr>) -> Result<Check> {
    let Some(group) = group else {
        return Ok(Check::failed(
            "my address",
            "no stack has written the bastion's security group",
            "covidctl up",
        ));
    };
    let rules = clients.ec2().ingress_rules(group).await;
    let rules = rules.api_context("ec2:DescribeSecurityGroups", || {
        format!("cannot look at the security group `{group}`")
    })?;
    let ranges = rules.iter().filter(|rule| is_of_ssh(rule)).flat_map(|rule| &rule.ip_ranges.items);
    let let_in: Vec<&str> = ranges.map(|range| &*range.cidr_ip).collect();
    let mine = match mine {
        Some(mine) => Ok(mine),
        None => public_address().await,
    };
    Ok(match mine {
        Ok(mine) if let_in.iter().any(|range| contains(range, mine)) => {
            Check::ok("my address", format!("{mine} may reach the bastion"))
        }
        Ok(mine) => Check::failed(
            "my address",
            match &*let_in {
                [] => format!(
                    "the bastion's security group allows SSH from no address, and this machine is {mine}"
                ),
                ranges => format!("the bastion lets in {}, and this machine is {mine}", ranges.join(", ")),
            },
            format!("covidctl up --parameter network.OperatorCidr={mine}/32"),
        ),
        Err(why) => Check::warning(
            "my address",
            format!("cannot find out under which address this machine is seen: {why}"),
            format!("--my-address ADDRESS says it; the bastion lets in {}", let_in.join(", ")),
        ),
    })
}

async fn public_address() -> std::result::Result<Ipv4Addr, String> {
    let text = https_text(CHECKIP_URL, LOOKUP_TIMEOUT).await;
    let text = text.map_err(|error| format!("`{CHECKIP_URL}` does not answer ({})", error.without_url()))?;
    text.trim().parse().map_err(|_| format!("what `{CHECKIP_URL}` answers is no address"))
}

fn is_of_ssh(rule: &IngressRule) -> bool {
    let is_between = rule.from_port.is_none_or(|from| from <= SSH) && rule.to_port.is_none_or(|to| SSH <= to);
    matches!(&*rule.ip_protocol, "tcp" | "-1") && is_between
}

/// Returns whether an address is in a range such as `198.51.100.0/24`.
fn contains(range: &str, address: Ipv4Addr) -> bool {
    let Some((network, length)) = range.split_once('/') else { return false };
    let (Ok(network), Ok(length @ 0..=32)) = (network.parse::<Ipv4Addr>(), length.parse()) else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    u32::from(network) & mask == u32::from(address) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_compares_prefix() {
        let is_in = |range, address: &str| contains(range, address.parse().unwrap());
        assert!(is_in("198.51.100.7/32", "198.51.100.7") && !is_in("198.51.100.7/32", "198.51.100.8"));
        assert!(is_in("198.51.100.0/24", "198.51.100.255") && !is_in("198.51.100.0/24", "198.51.101.0"));
        assert!(is_in("0.0.0.0/0", "203.0.113.9"));
        assert!(!is_in("198.51.100.7", "198.51.100.7") && !is_in("198.51.100.7/33", "198.51.100.7"));
    }
}
