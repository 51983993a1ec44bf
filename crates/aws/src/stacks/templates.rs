//! The templates, embedded or from a directory, in the order of their numbers, with their parameters and resources.

use std::path::Path;

use common::failure::{Context as _, Failure, Result};
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlLoader};

use super::change::{Change, ResourceAction};

/// Prefix of the stack names.
pub(super) const FAMILY: &str = "covid19";

/// Limit of CloudFormation for a template in a request, in bytes.
const MAX_BODY_SIZE: usize = 51_200;

const EMBEDDED: [(&str, &str); 9] = [
    ("network", include_str!("../../../../cloudformation/01-network.yaml")),
    ("bastion", include_str!("../../../../cloudformation/02-bastion.yaml")),
    ("database", include_str!("../../../../cloudformation/03-database.yaml")),
    ("storage", include_str!("../../../../cloudformation/04-storage.yaml")),
    ("registry", include_str!("../../../../cloudformation/05-registry.yaml")),
    ("pipeline", include_str!("../../../../cloudformation/06-pipeline.yaml")),
    ("ingest", include_str!("../../../../cloudformation/07-ingest.yaml")),
    ("dashboard", include_str!("../../../../cloudformation/08-dashboard.yaml")),
    ("ci", include_str!("../../../../cloudformation/09-ci.yaml")),
];

/// Returns the names of the stacks without prefix, in the order of deployment.
pub(super) fn names() -> impl DoubleEndedIterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// Returns the full name of a stack.
pub(super) fn stack_name(name: &str) -> String {
    format!("{FAMILY}-{name}")
}

#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) body: String,
    pub(super) parameters: Vec<TemplateParameter>,
    /// The resources, as the changes of a creation.
    pub(super) resources: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateParameter {
    pub(super) name: String,
    pub(super) has_default: bool,
    pub(super) default: Option<String>,
}

/// Returns the templates of a directory, or the embedded ones.
pub(super) fn all(folder: Option<&Path>) -> Result<Vec<Template>> {
    match folder {
        Some(folder) => in_folder(folder),
        None => EMBEDDED.iter().map(|(name, body)| Template::read(name, (*body).to_owned())).collect(),
    }
}

/// Returns the files with names like `01-network.yaml` in order.
fn in_folder(folder: &Path) -> Result<Vec<Template>> {
    let what = || format!("cannot read the templates in `{}`", folder.display());
    let entries =
        std::fs::read_dir(folder).context(what)?.collect::<std::io::Result<Vec<_>>>().context(what)?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    let mut templates = Vec::new();
    for file in files {
        let is_template =
            file.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some((_, name)) = stem.split_once('-').filter(|_| is_template) else { continue };
        if !names().any(|known| known == name) {
            return Err(Failure::usage(format!("`{}` is the template of no stack", file.display()))
                .hint(format!("the stacks are {}", names().collect::<Vec<_>>().join(", "))));
        }
        let body = std::fs::read_to_string(&file).context(|| format!("cannot read `{}`", file.display()))?;
        templates.push(Template::read(name, body)?);
    }
    if templates.is_empty() {
        return Err(Failure::usage(what())
            .source("there is none")
            .hint("they are called as in `cloudformation/`: 01-network.yaml, …"));
    }
    Ok(templates)
}

impl Template {
    fn read(name: &str, body: String) -> Result<Self> {
        let wrong = || format!("the template of the stack `{name}` is wrong");
        if body.len() > MAX_BODY_SIZE {
            let length = body.len();
            return Err(Failure::usage(wrong())
                .source(format!("it has {length} bytes, and CloudFormation takes {MAX_BODY_SIZE}"))
                .hint("move a part of it to another stack"));
        }
        let documents = YamlLoader::load_from_str(&body).context(wrong)?;
        let document = documents.first().unwrap_or(&Yaml::BadValue);
        let parameters = table(document, "Parameters").map(|(name, declared)| TemplateParameter {
            name,
            has_default: !matches!(declared["Default"], Yaml::BadValue),
            default: declared["Default"].as_str().map(str::to_owned),
        });
        let resources = table(document, "Resources").map(|(name, resource)| Change {
            action: ResourceAction::Add,
            resource: name,
            kind: resource["Type"].as_str().unwrap_or_default().to_owned(),
            condition: resource["Condition"].as_str().map(str::to_owned),
        });
        let (parameters, resources): (Vec<_>, Vec<_>) = (parameters.collect(), resources.collect());
        if resources.is_empty() {
            return Err(Failure::usage(wrong()).source("it has no resources"));
        }
        Ok(Self { name: name.to_owned(), parameters, resources, body })
    }
}

/// Returns the entries of a table of a document in order.
fn table<'a>(document: &'a Yaml, key: &str) -> impl Iterator<Item = (String, &'a Yaml)> {
    let entries = document[key].as_hash().into_iter().flat_map(Hash::iter);
    entries.filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_templates_equal_files() {
        let templates = all(None).unwrap();
        let of = |name: &str| templates.iter().find(|template| template.name == name).unwrap();
        let has_default = |stack: &str, name: &str| {
            of(stack).parameters.iter().find(|declared| declared.name == name).unwrap().has_default
        };
        assert!(!has_default("network", "OperatorCidr") && has_default("network", "Network"));
        assert!(has_default("pipeline", "AlarmEmail") && !has_default("ci", "Repository"));
        let vpc = &of("network").resources[0];
        assert_eq!((vpc.resource.as_str(), vpc.kind.as_str()), ("Vpc", "AWS::EC2::VPC"));
        let subscription =
            of("pipeline").resources.iter().find(|change| change.resource == "AlarmsSubscription");
        assert_eq!(subscription.unwrap().condition.as_deref(), Some("HasAlarmEmail"));
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../cloudformation"));
        let files = all(Some(folder)).unwrap();
        assert!(files.iter().map(|file| &file.body).eq(templates.iter().map(|template| &template.body)));
    }

    #[test]
    fn directory_without_templates_is_usage_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(all(Some(folder.path())).unwrap_err().exit().code(), 2);
        std::fs::write(folder.path().join("01-nonsense.yaml"), "Resources: {}").unwrap();
        let failure = all(Some(folder.path())).unwrap_err();
        assert!(failure.to_string().contains("is the template of no stack"), "{failure}");
        std::fs::rename(folder.path().join("01-nonsense.yaml"), folder.path().join("01-network.yaml"))
            .unwrap();
        assert!(all(Some(folder.path())).unwrap_err().to_string().contains("has no resources"));
    }
}
