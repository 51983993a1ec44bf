//! EC2: instances, their consoles, images, security groups and subnets.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::service::{Protocol, Service, ServiceClient, ServiceError, fields};

/// The version is that of the Amazon EC2 API Reference, the only one in use.
pub(super) const EC2: Service =
    Service { id: "EC2", name: "ec2", region: None, protocol: Protocol::Ec2Query("2016-11-15") };

#[derive(Debug, Clone, Copy)]
pub(super) struct Ec2<'a>(pub(super) ServiceClient<'a>);

// No member of an answer is certain to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Instance {
    #[serde(rename = "instanceId")]
    pub(super) id: String,
    #[serde(rename = "instanceState")]
    pub(super) state: InstanceState,
    /// The public address.
    pub(super) ip_address: Option<String>,
    pub(super) launch_time: Option<DateTime<Utc>>,
    pub(super) key_name: Option<String>,
    pub(super) image_id: Option<String>,
    #[serde(rename = "tagSet")]
    pub(super) tags: List<Tag>,
    #[serde(rename = "groupSet")]
    pub(super) security_groups: List<GroupName>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GroupName {
    pub(super) group_id: String,
}

/// A machine image.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Image {
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InstanceState {
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub(super) name: String,
}

/// A rule that lets traffic into a security group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IngressRule {
    /// `tcp`, `udp`, `icmp`, the number of a protocol, or `-1` for all.
    pub(super) ip_protocol: String,
    /// `None`: all ports.
    pub(super) from_port: Option<i32>,
    pub(super) to_port: Option<i32>,
    pub(super) ip_ranges: List<IpRange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IpRange {
    pub(super) cidr_ip: String,
}

/// A list of the EC2 query protocol: a parent with children `item`.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new", rename = "item")]
    pub(super) items: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl Ec2<'_> {
    /// Returns the instances with these ids.
    pub(super) async fn instances(self, ids: &[String]) -> Result<Vec<Instance>, ServiceError> {
        let ids = (1..).zip(ids).map(|(at, id)| (format!("InstanceId.{at}"), id.clone()));
        self.described_instances(ids.collect()).await
    }

    /// Returns the instances that pass every filter, each a name and a value.
    pub(super) async fn instances_with(
        self,
        filters: &[(&str, &str)],
    ) -> Result<Vec<Instance>, ServiceError> {
        let filters = (1..).zip(filters).flat_map(|(at, (name, value))| {
            [
                (format!("Filter.{at}.Name"), (*name).to_owned()),
                (format!("Filter.{at}.Value.1"), (*value).to_owned()),
            ]
        });
        self.described_instances(filters.collect()).await
    }

    async fn described_instances(
        self,
        parameters: Vec<(String, String)>,
    ) -> Result<Vec<Instance>, ServiceError> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            reservation_set: List<Reservation>,
            next_token: Option<String>,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reservation {
            #[serde(default)]
            instances_set: List<Instance>,
        }
        let mut instances = Vec::new();
        let mut token = None;
        loop {
            let next = token.map(|token| ("NextToken".to_owned(), token));
            let page: Page =
                self.call("DescribeInstances", parameters.iter().cloned().chain(next).collect()).await?;
            let reservations = page.reservation_set.items.into_iter();
            instances.extend(reservations.flat_map(|reservation| reservation.instances_set.items));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(instances);
            }
        }
    }

    /// Returns the console of an instance, in Base64. `latest` asks for the current text; without it, it is a copy from the boot.
    pub(super) async fn console_output(self, id: &str, latest: bool) -> Result<Option<String>, ServiceError> {
        #[derive(Debug, Deserialize)]
        struct Console {
            output: Option<String>,
        }
        let mut parameters = vec![("InstanceId".to_owned(), id.to_owned())];
        if latest {
            parameters.push(("Latest".to_owned(), "true".to_owned()));
        }
        let console: Console = self.call("GetConsoleOutput", parameters).await?;
        Ok(console.output)
    }

    /// Returns an image, if it is still there.
    pub(super) async fn image(self, id: &str) -> Result<Option<Image>, ServiceError> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            images_set: List<Image>,
        }
        let page: Page = self.call("DescribeImages", vec![("ImageId.1".to_owned(), id.to_owned())]).await?;
        Ok(page.images_set.items.into_iter().next())
    }

    /// Returns the rules that let traffic into a security group.
    pub(super) async fn ingress_rules(self, group: &str) -> Result<Vec<IngressRule>, ServiceError> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            security_group_info: List<SecurityGroup>,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct SecurityGroup {
            #[serde(default)]
            ip_permissions: List<IngressRule>,
        }
        let parameters = vec![("GroupId.1".to_owned(), group.to_owned())];
        let page: Page = self.call("DescribeSecurityGroups", parameters).await?;
        let groups = page.security_group_info.items.into_iter();
        Ok(groups.flat_map(|group| group.ip_permissions.items).collect())
    }

    /// Asks for subnets; an error if one does not exist.
    pub(super) async fn subnets(self, ids: &[String]) -> Result<(), ServiceError> {
        self.exist("DescribeSubnets", "SubnetId", ids).await
    }

    /// Asks for security groups; an error if one does not exist.
    pub(super) async fn security_groups(self, ids: &[String]) -> Result<(), ServiceError> {
        self.exist("DescribeSecurityGroups", "GroupId", ids).await
    }

    async fn exist(self, action: &'static str, member: &str, ids: &[String]) -> Result<(), ServiceError> {
        #[derive(Debug, Deserialize)]
        struct Page {}
        if ids.is_empty() {
            return Ok(());
        }
        let ids = (1..).zip(ids).map(|(at, id)| (format!("{member}.{at}"), id.clone()));
        self.call::<Page>(action, ids.collect()).await.map(drop)
    }

    async fn call<T>(self, action: &'static str, parameters: Vec<(String, String)>) -> Result<T, ServiceError>
    where
        T: std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        self.0.call(action, fields(&parameters)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_without_items_are_empty() {
        let rule: IngressRule =
            quick_xml::de::from_str("<item><ipProtocol>-1</ipProtocol><ipRanges/></item>").unwrap();
        assert!(rule.ip_ranges.items.is_empty() && rule.from_port.is_none());
    }
}
