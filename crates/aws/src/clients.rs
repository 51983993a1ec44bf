//! The clients of AWS services: profile, region, endpoint, retries and timeouts. A client is built when it is first needed.

use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use common::failure::{Exit, Failure, Result};

use super::credentials::CachedCredentials;
use super::ec2::{EC2, Ec2};
use super::recorder::{Recorder, Redaction};
use super::service::{Service, ServiceClient};
use super::ssm::{SSM, Ssm};
use target::{AwsSettings, Origin};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The first attempt included.
const MAX_ATTEMPTS: u32 = 4;

#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    recorder: Option<Recorder>,
    pub(super) region: String,
    /// Credentials for object stores.
    pub(super) store_credentials: Arc<CachedCredentials>,
}

/// Returns the credentials of a profile alone. A role in it is assumed in the configured region.
async fn of_profile(name: &str, settings: &AwsSettings) -> ProfileFileCredentialsProvider {
    let region = match &settings.region {
        Some(region) => Some(Region::new(region.value.clone())),
        None => DefaultRegionChain::builder().profile_name(name).build().region().await,
    };
    let config = ProviderConfig::without_region().with_region(region);
    ProfileFileCredentialsProvider::builder().profile_name(name).configure(&config).build()
}

impl Clients {
    /// Reads the shared configuration; sends no request.
    pub(super) async fn load(settings: &AwsSettings) -> Result<Self> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(3 * ATTEMPT_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(timeouts);
        if let Ok(name) = AppName::new(concat!("covidctl-", env!("CARGO_PKG_VERSION"))) {
            loader = loader.app_name(name);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.value.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(&profile.value);
            // An explicit profile overrides keys in the environment, unlike in the default chain.
            if profile.origin != Origin::Environment {
                loader = loader.credentials_provider(of_profile(&profile.value, settings).await);
            }
        }
        if let Some(endpoint) = &settings.endpoint_url {
            loader = loader.endpoint_url(&endpoint.value);
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Failure::usage("no AWS region configured")
                .hint("--region us-east-1, or AWS_REGION, or `region` in the profile"));
        };
        let Some(provider) = config.credentials_provider() else {
            return Err(Failure::new("no credentials for AWS configured")
                .hint("log in (`aws sso login`), or --profile")
                .exit_code(Exit::Credentials));
        };
        let store_credentials = Arc::new(CachedCredentials::new(provider));
        let recorder = settings.recording.as_ref().map(|recording| {
            let redaction = recording.key.as_deref().map_or_else(Redaction::random, Redaction::new);
            Recorder::new(&recording.folder, redaction)
        });
        Ok(Self { config, recorder: recorder.transpose()?, region, store_credentials })
    }

    /// Returns the endpoint of all services, if one is set.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.config.endpoint_url()
    }

    /// Returns the shared configuration, for signatures without a request.
    pub(super) fn sdk_config(&self) -> &SdkConfig {
        &self.config
    }

    pub(super) fn ec2(&self) -> Ec2<'_> {
        Ec2(self.client_of(&EC2))
    }

    pub(super) fn parameters(&self) -> Ssm<'_> {
        Ssm(self.client_of(&SSM))
    }

    /// Returns a client without operations of its own.
    pub(super) fn client_of(&self, service: &'static Service) -> ServiceClient<'_> {
        ServiceClient { service, config: &self.config, recorder: self.recorder.as_ref() }
    }
}

macro_rules! clients {
    ($($name:ident: $service:ident),* $(,)?) => {
        impl Clients {
            $(
                pub(super) fn $name(&self) -> $service::Client {
                    let mut config = $service::config::Builder::from(&self.config);
                    if let Some(recorder) = &self.recorder {
                        config = config.interceptor(recorder.clone());
                    }
                    $service::Client::from_conf(config.build())
                }
            )*
        }
    };
}

clients! {
    auto_scaling: aws_sdk_autoscaling,
    stacks: aws_sdk_cloudformation,
    metrics: aws_sdk_cloudwatch,
    logs: aws_sdk_cloudwatchlogs,
    instance_connect: aws_sdk_ec2instanceconnect,
    images: aws_sdk_ecr,
    tasks: aws_sdk_ecs,
    load_balancing: aws_sdk_elasticloadbalancingv2,
    events: aws_sdk_eventbridge,
    functions: aws_sdk_lambda,
    databases: aws_sdk_rds,
    schedules: aws_sdk_scheduler,
    secrets: aws_sdk_secretsmanager,
    identity: aws_sdk_sts,
}
