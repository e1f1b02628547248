use std::fs;
use std::path::PathBuf;

use bhiv_broker::topology::{Admin, Topology};
use bhiv_settings::Secret;
use clap::{Args, Subcommand};

use crate::Outcome;

/// `bhiv broker`
#[derive(Debug, Subcommand)]
pub enum Broker {
    /// Make the virtual host and the operators' user, whom `bhiv events` connects as.
    Setup(Credentials),
    /// Declare the queues of services that do not run here, so that nothing that is published is unroutable.
    Declare {
        #[command(flatten)]
        credentials: Credentials,
        /// Topology files, for example `proto-docs/topology/*.json`.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Who does it, and who the operator is.
#[derive(Args, Debug)]
pub struct Credentials {
    /// RabbitMQ's management API as an administrator.
    #[arg(long, env = "RABBITMQ_ADMIN_URL", hide_env_values = true)]
    rabbitmq_admin_url: Secret,
    /// RabbitMQ as an operator.
    #[arg(long, env = "OPERATOR_AMQP_URL", hide_env_values = true)]
    operator_amqp_url: Secret,
}

impl Broker {
    pub async fn run(self) -> Outcome {
        match self {
            Self::Setup(Credentials { rabbitmq_admin_url, operator_amqp_url }) => {
                let admin = Admin::new(&rabbitmq_admin_url, &operator_amqp_url)?;
                admin.declare_vhost().await?;
                admin.grant_operator(&operator_amqp_url).await?;
            }
            Self::Declare { credentials, files } => {
                let Credentials { rabbitmq_admin_url, operator_amqp_url } = credentials;
                let admin = Admin::new(&rabbitmq_admin_url, &operator_amqp_url)?;
                for file in files {
                    let text = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                    let topology: Topology = serde_json::from_slice(&text)
                        .map_err(|error| format!("{}: {error}", file.display()))?;
                    admin.declare(&topology).await?;
                }
            }
        }
        Ok(())
    }
}
