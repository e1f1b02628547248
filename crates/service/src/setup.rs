use bhiv_broker::topology::Admin as BrokerAdmin;
use bhiv_settings::{Admin, Broker, Database};

use crate::{Error, Service};

/// Brings PostgreSQL and RabbitMQ into the state that the service needs. Repeating it changes nothing.
///
/// # Errors
/// When one of them is away or the credentials do not suffice.
pub(crate) async fn setup<S: Service>(
    database: &Database,
    broker: &Broker,
    admin: &Admin,
) -> Result<(), Error> {
    let name = S::INFO.name;
    let role_url = database.database_url.expose();
    bhiv_db::prepare(admin.database_admin_url.expose(), role_url).await?;
    report(name, "schema and role are there");
    let applied = bhiv_db::migrate(role_url, S::MIGRATIONS).await?;
    report(name, &format!("{} migrations applied", applied.len()));

    let topology = S::topology();
    let admin = BrokerAdmin::new(&admin.rabbitmq_admin_url, &broker.amqp_url)?;
    admin.declare_vhost().await?;
    admin.declare(&topology).await?;
    admin.grant(&broker.amqp_url, &topology).await?;
    report(name, &format!("exchange {} and {} queues are there", topology.exchange, topology.queues.len()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is run by hand or by a script, which shows what it says")]
fn report(name: &str, line: &str) {
    println!("{name}: {line}");
}
