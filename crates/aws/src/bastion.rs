//! The bastion: the instance of an Auto Scaling group, its address, and the host keys on its console.

use async_trait::async_trait;
use aws_sdk_autoscaling::types::LifecycleState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Failure, Result};

use super::api_error::{ApiContext as _, ApiError, stack_hint};
use super::clients::Clients;
use super::doctor::address;
use target::CheckOutcome;
use tunnel::{Bastion, ConsoleKeys, Discovery};

/// How long after the launch of an instance its console may lack the host keys, which cloud-init prints at its end.
const BOOT_TIME: TimeDelta = TimeDelta::minutes(10);

/// A reachable instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) launched_at: Option<DateTime<Utc>>,
}

pub(super) enum GroupStatus {
    NoGroup,
    /// No reachable instance.
    NoInstance,
    /// A healthy instance in service.
    Serving(Instance),
}

/// Returns the instance of the group, or an error if there is no group or no reachable instance in it.
pub(super) async fn instance(clients: &Clients, group: &str) -> Result<Instance> {
    match status(clients, group).await? {
        GroupStatus::Serving(instance) => Ok(instance),
        GroupStatus::NoInstance => {
            Err(Failure::new(format!("no instance of the Auto Scaling group `{group}` is in service")).hint(
                "if it is being replaced, it takes a few minutes; else look at the group's activity and desired capacity",
            ))
        }
        GroupStatus::NoGroup => Err(Failure::new(format!("cannot look at the Auto Scaling group `{group}`"))
            .source("there is no such group in this account and region")
            .hint(format!("{}; is this the right --region?", stack_hint("bastion")))),
    }
}

/// Returns the status of the group.
pub(super) async fn status(clients: &Clients, group: &str) -> Result<GroupStatus> {
    let what = || format!("cannot look at the Auto Scaling group `{group}`");
    let answer =
        clients.auto_scaling().describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
    let answer = answer.api_context("autoscaling:DescribeAutoScalingGroups", what)?;
    let Some(found) = answer.auto_scaling_groups().first() else { return Ok(GroupStatus::NoGroup) };
    let in_service = found.instances().iter().filter(|instance| {
        instance.lifecycle_state() == Some(&LifecycleState::InService)
            && instance.health_status() == Some("Healthy")
    });
    let ids: Vec<String> =
        in_service.filter_map(|instance| instance.instance_id().map(str::to_owned)).collect();
    if ids.is_empty() {
        return Ok(GroupStatus::NoInstance);
    }
    let instances = clients.ec2().instances(&ids).await;
    let instances = instances
        .api_context("ec2:DescribeInstances", || format!("cannot look at the instances of `{group}`"))?;
    let reachable = instances.into_iter().filter_map(|instance| {
        // An Elastic IP stays with an instance that is stopped.
        let is_running = instance.state.name == "running";
        let address = instance.ip_address.filter(|address| is_running && !address.is_empty())?;
        Some(Instance { id: instance.id, address, launched_at: instance.launch_time })
    });
    // During a replacement there are two; the newer one stays.
    Ok(reachable
        .max_by_key(|instance| instance.launched_at)
        .map_or(GroupStatus::NoInstance, GroupStatus::Serving))
}

/// Finds the bastion on every call.
pub(super) struct Group {
    pub(super) clients: std::sync::Arc<Clients>,
    pub(super) name: String,
    pub(super) user: String,
    pub(super) port: u16,
    /// Id of its security group.
    pub(super) firewall: Option<String>,
}

#[async_trait]
impl Discovery for Group {
    async fn find(&self) -> Result<Bastion> {
        let Instance { id, address, .. } = instance(&self.clients, &self.name).await?;
        Ok(Bastion { user: self.user.clone(), host: address, port: self.port, instance: Some(id) })
    }

    async fn host_keys(&self, bastion: &Bastion) -> Result<ConsoleKeys> {
        let Some(id) = &bastion.instance else { return Ok(ConsoleKeys::default()) };
        // Without `Latest`, the output is a copy from the boot, or empty; only Nitro instances have it
        // (EC2 API Reference, GetConsoleOutput).
        let console = match self.clients.ec2().console_output(id, true).await {
            Err(error) if ApiError::of(&error).code == "UnsupportedOperation" => {
                self.clients.ec2().console_output(id, false).await
            }
            console => console,
        };
        let console =
            console.api_context("ec2:GetConsoleOutput", || format!("cannot read the console of `{id}`"))?;
        let output = console.and_then(|text| BASE64.decode(text.trim()).ok()).unwrap_or_default();
        let mut found = host_keys(&String::from_utf8_lossy(&output));
        found.is_starting = found.is_empty() && self.is_booting(id).await;
        Ok(found)
    }

    async fn explain_silence(&self, _: &Bastion) -> Option<String> {
        let group = self.firewall.as_deref()?;
        let check = address::check(&self.clients, Some(group), None).await.ok()?;
        let command = check.hint.filter(|_| check.outcome == CheckOutcome::Failed)?;
        Some(format!("{}; the missing rule is added by: {command}", check.detail))
    }

    async fn send_public_key(&self, bastion: &Bastion, public_key: &str) -> Result<bool> {
        let Some(id) = &bastion.instance else { return Ok(false) };
        let request = self.clients.instance_connect().send_ssh_public_key().instance_id(id);
        let answer = request.instance_os_user(&bastion.user).ssh_public_key(public_key).send().await;
        let answer = answer.api_context("ec2-instance-connect:SendSSHPublicKey", || {
            format!("cannot hand a key to `{}` on `{id}`", bastion.user)
        })?;
        Ok(answer.success())
    }
}

impl Group {
    async fn is_booting(&self, id: &str) -> bool {
        let instances = self.clients.ec2().instances(&[id.to_owned()]).await.unwrap_or_default();
        let launched_at = instances.first().and_then(|instance| instance.launch_time);
        launched_at.is_some_and(|launched_at| Utc::now() - launched_at < BOOT_TIME)
    }
}

/// Returns the host keys that cloud-init prints on the console, as keys and as fingerprints. It prefixes lines of the latter with `ec2: `.
fn host_keys(console: &str) -> ConsoleKeys {
    let block = |kind: &str| {
        let (begin, end) = (format!("BEGIN SSH HOST KEY {kind}"), format!("END SSH HOST KEY {kind}"));
        let lines = console.lines().map(str::trim).skip_while(move |line| !line.contains(&begin));
        lines.skip(1).take_while(move |line| !line.contains(&end))
    };
    let key = |line: &str| {
        // The console may prefix lines with a time or name.
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-"))?;
        Some(format!("{} {}", words[at], words.get(at + 1)?))
    };
    let fingerprint =
        |line: &str| line.split_whitespace().find(|word| word.starts_with("SHA256:")).map(str::to_owned);
    ConsoleKeys {
        keys: block("KEYS").filter_map(key).collect(),
        fingerprints: block("FINGERPRINTS").filter_map(fingerprint).collect(),
        is_starting: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_keys_are_between_markers() {
        let console = "[  12.3] cloud-init[1]: ssh-rsa NOTAKEY\r\n\
            -----BEGIN SSH HOST KEY FINGERPRINTS-----\r\n256 SHA256:abc root (ED25519)\r\n\
            [  12.3] ec2: 256 SHA256:def root (ECDSA)\r\n-----END SSH HOST KEY FINGERPRINTS-----\r\n\
            -----BEGIN SSH HOST KEY KEYS-----\r\n\
            ecdsa-sha2-nistp256 AAAA1 root@ip-10-0-0-1\r\n\
            [  12.4] cloud-init[1]: ssh-ed25519 AAAA2 root@ip\r\n\
            -----END SSH HOST KEY KEYS-----\r\nssh-rsa AAAA3\r\n";
        let found = host_keys(console);
        assert_eq!(found.keys, ["ecdsa-sha2-nistp256 AAAA1", "ssh-ed25519 AAAA2"]);
        assert_eq!(found.fingerprints, ["SHA256:abc", "SHA256:def"]);
        assert!(host_keys("nothing of that kind").is_empty());
    }
}
