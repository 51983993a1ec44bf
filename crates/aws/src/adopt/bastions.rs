//! Bastions: running instances with a public address, of Auto Scaling groups or alone.

use std::collections::BTreeMap;

use common::failure::Result;

use super::Candidate;
use crate::api_error::ApiContext as _;
use crate::clients::Clients;
use crate::ec2::Instance;

/// What the names of bastions contain.
const SIGNS: [&str; 4] = ["bastion", "jump", "ssh", "gateway"];

/// Default users of images, by a part of the image's name (EC2 User Guide, "Default user names for AMIs").
const USERS: [(&str, &str); 10] = [
    ("al2023", "ec2-user"),
    ("amzn", "ec2-user"),
    ("ubuntu", "ubuntu"),
    ("debian", "admin"),
    ("centos", "centos"),
    ("rhel", "ec2-user"),
    ("fedora", "fedora"),
    ("suse", "ec2-user"),
    ("bitnami", "bitnami"),
    ("rocky", "rocky"),
];

pub(super) async fn candidates(clients: &Clients) -> Result<Vec<Candidate>> {
    let instances = clients.ec2().instances_with(&[("instance-state-name", "running")]).await;
    let instances =
        instances.api_context("ec2:DescribeInstances", || "cannot list the instances".to_owned())?;
    let mut reachable: Vec<&Instance> = instances
        .iter()
        .filter(|instance| instance.ip_address.as_ref().is_some_and(|at| !at.is_empty()))
        .collect();
    reachable.sort_by_key(|instance| !is_bastion(name(instance).unwrap_or_default()));
    let groups = groups(clients).await?;
    let mut candidates = Vec::new();
    for instance in &reachable {
        candidates.push(candidate(clients, instance, &groups, &reachable).await?);
    }
    // A description has one bastion: the first that looks like one, or the only instance.
    let is_only = candidates.len() == 1;
    for (at, (candidate, is_bastion)) in candidates.iter_mut().enumerate() {
        match (at, *is_bastion, is_only) {
            (0, true, _) => {}
            (0, false, true) => candidate.doubt(
                "the only running instance with a public address; its name does not say that it is a bastion",
            ),
            (0, false, false) => candidate.unlikely(
                "one of several instances with a public address, none of which is named as a bastion",
            ),
            _ => candidate.unlikely("another instance with a public address"),
        }
    }
    Ok(candidates.into_iter().map(|(candidate, _)| candidate).collect())
}

fn name(instance: &Instance) -> Option<&str> {
    instance.tags.items.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.as_str())
}

fn is_bastion(name: &str) -> bool {
    let name = name.to_lowercase();
    SIGNS.iter().any(|sign| name.contains(sign))
}

/// Returns the Auto Scaling group of each instance.
async fn groups(clients: &Clients) -> Result<BTreeMap<String, String>> {
    let pages = clients.auto_scaling().describe_auto_scaling_groups().into_paginator().items().send();
    let groups = pages.try_collect().await;
    let groups = groups.api_context("autoscaling:DescribeAutoScalingGroups", || {
        "cannot list the Auto Scaling groups".to_owned()
    })?;
    let instances = groups.iter().flat_map(|group| {
        let name = group.auto_scaling_group_name().unwrap_or_default();
        group.instances().iter().filter_map(move |instance| Some((instance.instance_id()?, name)))
    });
    Ok(instances.map(|(id, name)| (id.to_owned(), name.to_owned())).collect())
}

/// Returns the candidate, and whether its name is that of a bastion.
async fn candidate(
    clients: &Clients,
    instance: &Instance,
    groups: &BTreeMap<String, String>,
    all: &[&Instance],
) -> Result<(Candidate, bool)> {
    let mut candidate = Candidate::new("bastion");
    let (group, name) = (groups.get(&instance.id), name(instance));
    let is_unique = |wanted: &str| all.iter().filter(|other| self::name(other) == Some(wanted)).count() == 1;
    match (group, name) {
        (Some(group), _) => candidate.set("auto-scaling-group", group.as_str()),
        (None, Some(name)) if is_unique(name) => candidate.set("tag", format!("Name={name}")),
        _ => candidate.set("instance", instance.id.as_str()),
    }
    let image = match &instance.image_id {
        Some(id) => clients.ec2().image(id).await,
        None => Ok(None),
    };
    // The image may have been deleted since, or may not be looked at.
    let image = image.ok().flatten().map(|image| image.name.to_lowercase()).unwrap_or_default();
    let user = USERS.iter().find(|(sign, _)| image.contains(sign)).map(|(_, user)| *user);
    candidate.set("user", user.unwrap_or("ec2-user"));
    if user.is_none() {
        candidate.doubt("the user is a guess: the name of the image is not known");
    }
    if let Some(key) = &instance.key_name {
        let path = format!(".ssh/{key}.pem");
        if etcetera::home_dir().is_ok_and(|home| home.join(&path).is_file()) {
            candidate.set("key", format!("~/{path}"));
        } else {
            candidate.doubt(format!(
                "its key pair is `{key}`, and there is no ~/{path}: EC2 Instance Connect, the ssh agent and ~/.ssh are tried"
            ));
        }
    }
    if let [group] = instance.security_groups.items.as_slice() {
        candidate.set("security-group", group.group_id.as_str());
    }
    let is_named = is_bastion(group.map_or("", String::as_str)) || name.is_some_and(is_bastion);
    Ok((candidate, is_named))
}
