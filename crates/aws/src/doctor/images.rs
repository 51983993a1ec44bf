//! Checks whether the images of the stacks are in the registry.

use aws_sdk_ecr::types::ImageDetail;
use common::failure::Result;

use crate::api_error::ApiContext as _;
use crate::clients::Clients;
use crate::stacks::Stack;
use target::Check;

/// The repository of the image `etl`, in the stack `registry`.
pub(super) const ETL: &str = "covid19-etl";

/// The stacks that run an image, with its repository.
const IMAGES: [(&str, &str); 2] = [("pipeline", ETL), ("dashboard", "covid19-metabase")];

/// The tag in a template before the first release.
const NO_RELEASE: &str = "latest-release";

const MAX_LISTED: usize = 5;

/// Returns a check for all images, or `None` if no stack runs one.
pub(super) async fn check(clients: &Clients, stacks: &[(&str, Option<Stack>)]) -> Option<Check> {
    let mut there = Vec::new();
    for (name, repository) in IMAGES {
        let stack = stacks.iter().find(|(known, _)| *known == name).and_then(|(_, stack)| stack.as_ref());
        let Some(stack) = stack else { continue };
        let tag = stack.parameters.iter().find(|(name, _)| name == "ImageTag").map(|(_, tag)| tag.as_str());
        let Some(tag) = tag.filter(|tag| *tag != NO_RELEASE) else {
            let hint = "covidctl up --release TAG";
            return Some(Check::failed("image", "no release has said which image tasks run", hint));
        };
        match tags(clients, repository).await {
            Ok(tags) if tags.iter().any(|known| known == tag) => there.push(format!("{repository}:{tag}")),
            Ok(tags) => return Some(missing(repository, tag, &tags)),
            Err(failure) => return Some(Check::of("image", &failure)),
        }
    }
    (!there.is_empty()).then(|| Check::ok("image", format!("{} are in the registry", there.join(" and "))))
}

/// Returns the tags of a repository, newest first; none if it does not exist.
async fn tags(clients: &Clients, repository: &str) -> Result<Vec<String>> {
    let pages = clients.images().describe_images().repository_name(repository).into_paginator();
    let images = pages.items().send().try_collect().await;
    let what = || format!("cannot look into the repository `{repository}`");
    let mut images = images.api_context_optional("ecr:DescribeImages", what)?.unwrap_or_default();
    images.sort_by_key(|image| {
        std::cmp::Reverse(image.image_pushed_at().map(aws_smithy_types::DateTime::secs))
    });
    Ok(images.iter().flat_map(ImageDetail::image_tags).cloned().collect())
}

fn missing(repository: &str, tag: &str, tags: &[String]) -> Check {
    let known = match &tags[..tags.len().min(MAX_LISTED)] {
        [] => "it is empty".to_owned(),
        known => format!("it has {}", known.join(", ")),
    };
    let hint = if repository == ETL {
        "covidctl up --release TAG with one that is there, or let the workflow of the release push it"
    } else {
        "let the workflow of a release copy it (its variables METABASE_VERSION and METABASE_DIGEST), or covidctl up --parameter dashboard.ImageTag=TAG"
    };
    Check::failed(
        "image",
        format!("`{repository}:{tag}` is not in the registry: no task can start; {known}"),
        hint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tag_error_lists_existing_tags() {
        let tags: Vec<String> = (1..9).map(|number| format!("v{number}")).collect();
        let check = missing(ETL, "v0", &tags);
        assert!(check.detail.ends_with("it has v1, v2, v3, v4, v5"), "{}", check.detail);
        assert!(missing("covid19-metabase", "v0", &[]).detail.ends_with("it is empty"));
    }
}
