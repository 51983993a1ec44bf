//! The bastion: an instance, its address, and the host keys on its console.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_autoscaling::types::LifecycleState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Failure, Result};

use super::account::Account;
use super::api_error::{ApiContext as _, ApiError, stack_hint};
use super::clients::Clients;
use super::doctor::address;
use target::CheckOutcome;
use target::description::BastionPlace;
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

/// What is known of a bastion's instance.
pub(super) enum BastionStatus {
    /// The group or instance does not exist.
    Missing,
    /// No reachable instance.
    NoInstance,
    /// A healthy instance in service.
    Serving(Instance),
    /// A host with a fixed address, of which AWS knows nothing.
    Fixed(String),
}

/// Describes a place for messages.
pub(super) fn place_text(place: &BastionPlace) -> String {
    match place {
        BastionPlace::AutoScalingGroup(group) => format!("the Auto Scaling group `{group}`"),
        BastionPlace::Tag { key, value } => format!("the tag `{key}={value}`"),
        BastionPlace::Instance(id) => format!("the id `{id}`"),
        BastionPlace::Address(address) => format!("the host `{address}`"),
    }
}

/// Returns the instance, or an error if none is reachable.
pub(super) async fn instance(account: &Account, place: &BastionPlace) -> Result<Instance> {
    let text = place_text(place);
    match status(&account.clients, place).await? {
        BastionStatus::Serving(instance) => Ok(instance),
        BastionStatus::Fixed(address) => Ok(Instance { id: address.clone(), address, launched_at: None }),
        BastionStatus::NoInstance if matches!(place, BastionPlace::AutoScalingGroup(_)) => {
            Err(Failure::new(format!("no instance of {text} is in service")).hint(
                "if it is being replaced, it takes a few minutes; else look at the group's activity and desired capacity",
            ))
        }
        BastionStatus::NoInstance => Err(Failure::new(format!("no instance of {text} is in service"))
            .source("none is running with a public address")
            .hint("start it, or describe the bastion by another key; `covidctl adopt other` looks for what is there")),
        BastionStatus::Missing => {
            let hint = if account.description.is_of_stacks {
                format!("{}; is this the right --region?", stack_hint("bastion"))
            } else {
                "is this the right --region? `covidctl adopt other` looks for what is there".to_owned()
            };
            Err(Failure::new(format!("cannot look at {text}"))
                .source("there is no such group in this account and region")
                .hint(hint))
        }
    }
}

/// Returns the status of the bastion's instance.
pub(super) async fn status(clients: &Clients, place: &BastionPlace) -> Result<BastionStatus> {
    let instances = match place {
        BastionPlace::Address(address) => return Ok(BastionStatus::Fixed(address.clone())),
        BastionPlace::AutoScalingGroup(group) => match in_service(clients, group).await? {
            None => return Ok(BastionStatus::Missing),
            Some(ids) if ids.is_empty() => return Ok(BastionStatus::NoInstance),
            Some(ids) => clients.ec2().instances(&ids).await,
        },
        BastionPlace::Tag { key, value } => {
            let filters =
                [(format!("tag:{key}"), value.as_str()), ("instance-state-name".to_owned(), "running")];
            let filters = filters.each_ref().map(|(name, value)| (name.as_str(), *value));
            clients.ec2().instances_with(&filters).await
        }
        BastionPlace::Instance(id) => clients.ec2().instances(std::slice::from_ref(id)).await,
    };
    let instances = instances.api_context("ec2:DescribeInstances", || {
        format!("cannot look at the instances of {}", place_text(place))
    })?;
    let reachable = instances.into_iter().filter_map(|instance| {
        // An Elastic IP stays with an instance that is stopped.
        let is_running = instance.state.name == "running";
        let address = instance.ip_address.filter(|address| is_running && !address.is_empty())?;
        Some(Instance { id: instance.id, address, launched_at: instance.launch_time })
    });
    // During a replacement there are two; the newer one stays.
    Ok(reachable
        .max_by_key(|instance| instance.launched_at)
        .map_or(BastionStatus::NoInstance, BastionStatus::Serving))
}

/// Returns the ids of the healthy instances of a group, if it exists.
async fn in_service(clients: &Clients, group: &str) -> Result<Option<Vec<String>>> {
    let what = || format!("cannot look at the Auto Scaling group `{group}`");
    let answer =
        clients.auto_scaling().describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
    let answer = answer.api_context("autoscaling:DescribeAutoScalingGroups", what)?;
    let Some(found) = answer.auto_scaling_groups().first() else { return Ok(None) };
    let in_service = found.instances().iter().filter(|instance| {
        instance.lifecycle_state() == Some(&LifecycleState::InService)
            && instance.health_status() == Some("Healthy")
    });
    Ok(Some(in_service.filter_map(|instance| instance.instance_id().map(str::to_owned)).collect()))
}

/// Finds the bastion on every call.
pub(super) struct BastionHost {
    pub(super) account: Arc<Account>,
    pub(super) place: BastionPlace,
    pub(super) user: String,
    pub(super) port: u16,
    /// Id of its security group.
    pub(super) firewall: Option<String>,
}

#[async_trait]
impl Discovery for BastionHost {
    async fn find(&self) -> Result<Bastion> {
        let Instance { id, address, .. } = instance(&self.account, &self.place).await?;
        Ok(Bastion { user: self.user.clone(), host: address, port: self.port, instance: Some(id) })
    }

    async fn host_keys(&self, bastion: &Bastion) -> Result<ConsoleKeys> {
        let Some(id) = &bastion.instance else { return Ok(ConsoleKeys::default()) };
        // Without `Latest`, the output is a copy from the boot, or empty; only Nitro instances have it
        // (EC2 API Reference, GetConsoleOutput).
        let console = match self.account.clients.ec2().console_output(id, true).await {
            Err(error) if ApiError::of(&error).code == "UnsupportedOperation" => {
                self.account.clients.ec2().console_output(id, false).await
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
        let check = address::check(&self.account.clients, Some(group), None).await.ok()?;
        let command = check.hint.filter(|_| check.outcome == CheckOutcome::Failed)?;
        Some(format!("{}; the missing rule is added by: {command}", check.detail))
    }

    async fn send_public_key(&self, bastion: &Bastion, public_key: &str) -> Result<bool> {
        let Some(id) = &bastion.instance else { return Ok(false) };
        let request = self.account.clients.instance_connect().send_ssh_public_key().instance_id(id);
        let answer = request.instance_os_user(&bastion.user).ssh_public_key(public_key).send().await;
        let answer = answer.api_context("ec2-instance-connect:SendSSHPublicKey", || {
            format!("cannot hand a key to `{}` on `{id}`", bastion.user)
        })?;
        Ok(answer.success())
    }
}

impl BastionHost {
    async fn is_booting(&self, id: &str) -> bool {
        let instances = self.account.clients.ec2().instances(&[id.to_owned()]).await.unwrap_or_default();
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
