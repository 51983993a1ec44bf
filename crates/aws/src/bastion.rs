//! The bastion: the instance in service of an Auto Scaling group, where it is now, and what its console says of its host keys.

use async_trait::async_trait;
use aws_sdk_autoscaling::types::LifecycleState;
use aws_sdk_ec2::types::Reservation;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};

use super::clients::Clients;
use super::trouble::{OrTrouble as _, Trouble, brings};
use tunnel::{Bastion, Discovery};

/// An instance that one can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) id: String,
    /// Its public address.
    pub(super) address: String,
    pub(super) launched_at: Option<DateTime<Utc>>,
}

/// What there is of a group.
pub(super) enum Found {
    /// The group itself is not there.
    NoGroup,
    /// Nobody who could be reached.
    Nobody,
    /// Its instance, healthy and in service.
    Serving(Instance),
}

/// The group's instance, where there is one.
pub(super) async fn instance(clients: &Clients, group: &str) -> Result<Option<Instance>> {
    match look(clients, group).await? {
        Found::Serving(instance) => Ok(Some(instance)),
        Found::Nobody => Ok(None),
        Found::NoGroup => Err(Failure::new(format!("cannot look at the Auto Scaling group `{group}`"))
            .source("there is no such group in this account and region")
            .hint(format!("{}; is this the right --region?", brings("bastion")))),
    }
}

/// Looks for the group and its instance.
pub(super) async fn look(clients: &Clients, group: &str) -> Result<Found> {
    let what = || format!("cannot look at the Auto Scaling group `{group}`");
    let answer =
        clients.auto_scaling().describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
    let answer = answer.or_trouble("autoscaling:DescribeAutoScalingGroups", what)?;
    let Some(found) = answer.auto_scaling_groups().first() else { return Ok(Found::NoGroup) };
    let in_service = found.instances().iter().filter(|instance| {
        instance.lifecycle_state() == Some(&LifecycleState::InService)
            && instance.health_status() == Some("Healthy")
    });
    let ids: Vec<String> =
        in_service.filter_map(|instance| instance.instance_id().map(str::to_owned)).collect();
    if ids.is_empty() {
        return Ok(Found::Nobody);
    }
    let answer = clients.instances().describe_instances().set_instance_ids(Some(ids)).send().await;
    let answer = answer
        .or_trouble("ec2:DescribeInstances", || format!("cannot look at the instances of `{group}`"))?;
    let instances = answer.reservations().iter().flat_map(Reservation::instances);
    let reachable = instances.filter_map(|instance| {
        Some(Instance {
            id: instance.instance_id()?.to_owned(),
            address: instance.public_ip_address().filter(|address| !address.is_empty())?.to_owned(),
            launched_at: instance
                .launch_time()
                .and_then(|time| DateTime::from_timestamp_millis(time.to_millis().ok()?)),
        })
    });
    // While one is being replaced there may be two; the newer one stays.
    Ok(reachable.max_by_key(|instance| instance.launched_at).map_or(Found::Nobody, Found::Serving))
}

/// Finds the bastion anew each time that it is asked.
pub(super) struct Group {
    pub(super) clients: std::sync::Arc<Clients>,
    pub(super) name: String,
    pub(super) user: String,
    pub(super) port: u16,
}

#[async_trait]
impl Discovery for Group {
    async fn find(&self) -> Result<Bastion> {
        let instance = instance(&self.clients, &self.name).await?.ok_or_else(|| {
            Failure::new(format!("no instance of the Auto Scaling group `{}` is in service", self.name)).hint(
                "if it is being replaced, it takes a few minutes; else look at the group's activity and desired capacity",
            )
        })?;
        Ok(Bastion {
            user: self.user.clone(),
            host: instance.address,
            port: self.port,
            instance: Some(instance.id),
        })
    }

    async fn host_keys(&self, bastion: &Bastion) -> Result<Vec<String>> {
        let Some(id) = &bastion.instance else { return Ok(Vec::new()) };
        // Without `Latest`, the answer is a copy from the machine's start, or empty; only Nitro machines, such as the stacks' own, have it
        // (EC2 API Reference, GetConsoleOutput).
        let request = || self.clients.instances().get_console_output().instance_id(id);
        let answer = match request().latest(true).send().await {
            Err(error) if Trouble::of(&error).is("UnsupportedOperation") => request().send().await,
            answer => answer,
        };
        let answer =
            answer.or_trouble("ec2:GetConsoleOutput", || format!("cannot read the console of `{id}`"))?;
        let output = answer.output().and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
        Ok(host_keys(&String::from_utf8_lossy(&output)))
    }

    async fn send_public_key(&self, bastion: &Bastion, public_key: &str) -> Result<bool> {
        let Some(id) = &bastion.instance else { return Ok(false) };
        let request = self.clients.instance_connect().send_ssh_public_key().instance_id(id);
        let answer = request.instance_os_user(&bastion.user).ssh_public_key(public_key).send().await;
        let answer = answer.or_trouble("ec2-instance-connect:SendSSHPublicKey", || {
            format!("cannot hand a key to `{}` on `{id}`", bastion.user)
        })?;
        Ok(answer.success())
    }
}

/// The public keys that cloud-init prints on the console, `algorithm key` each.
fn host_keys(console: &str) -> Vec<String> {
    let lines = console.lines().map(str::trim).skip_while(|line| !line.contains("BEGIN SSH HOST KEY KEYS"));
    let block = lines.skip(1).take_while(|line| !line.contains("END SSH HOST KEY KEYS"));
    let key = |line: &str| {
        // The console may put a time or a name of its own before the line.
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-"))?;
        Some(format!("{} {}", words[at], words.get(at + 1)?))
    };
    block.filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_between_the_marks() {
        let console = "[  12.3] cloud-init[1]: ssh-rsa NOTAKEY\r\n\
            -----BEGIN SSH HOST KEY FINGERPRINTS-----\r\n256 SHA256:abc root (ED25519)\r\n-----END SSH HOST KEY FINGERPRINTS-----\r\n\
            -----BEGIN SSH HOST KEY KEYS-----\r\n\
            ecdsa-sha2-nistp256 AAAA1 root@ip-10-0-0-1\r\n\
            [  12.4] cloud-init[1]: ssh-ed25519 AAAA2 root@ip\r\n\
            -----END SSH HOST KEY KEYS-----\r\nssh-rsa AAAA3\r\n";
        assert_eq!(host_keys(console), ["ecdsa-sha2-nistp256 AAAA1", "ssh-ed25519 AAAA2"]);
        assert!(host_keys("nothing of that kind").is_empty());
    }
}
