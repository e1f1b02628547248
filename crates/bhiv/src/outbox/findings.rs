use super::Report;
use crate::operator::span;

/// An event that waits for longer than this is late, in seconds.
const LATE: f64 = 30.0;

/// What is wrong with a service, each in words and with what to do.
pub fn of(report: &Report) -> Vec<String> {
    let Report { service, status, queues } = report;
    let service = service.prefix();
    let mut wrong = Vec::new();
    if status.leader.is_none() {
        wrong
            .push(format!("{service}: no replica publishes its events: start it, or see in its log why not"));
    }
    if let Some(seconds) = status.oldest_seconds.filter(|seconds| *seconds > LATE) {
        wrong.push(format!(
            "{service}: an event waits for {}: see in its log whether RabbitMQ takes messages",
            span(seconds)
        ));
    }
    if status.parked_out > 0 {
        wrong.push(format!(
            "{service}: RabbitMQ refused {} events: `bhiv parked list --service {service}` says why",
            status.parked_out
        ));
    }
    if status.parked_in > 0 {
        wrong.push(format!(
            "{service}: {} messages cannot be handled yet: `bhiv parked list --service {service}` says why",
            status.parked_in
        ));
    }
    let letters = format!("{service}.dlq");
    for queue in queues {
        let name = &queue.name;
        let count = queue.messages_ready + queue.messages_unacknowledged;
        if *name == letters {
            if count > 0 {
                wrong.push(format!(
                    "{service}: {count} dead letters: `bhiv dlq list --service {service}`, then `bhiv dlq redrive` \
                     or `bhiv dlq drop`"
                ));
            }
        } else if queue.consumers == 0 && count > 0 {
            wrong.push(format!(
                "{service}: nobody reads {name}, where {count} messages wait: start the service"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use bhiv_broker::topology::QueueState;
    use bhiv_events::Producer;
    use bhiv_outbox::operations::{Leader, Status};
    use chrono::DateTime;

    use super::*;

    fn report() -> Report {
        let queue = |name: &str| QueueState {
            name: name.to_owned(),
            messages_ready: 0,
            messages_unacknowledged: 0,
            consumers: 0,
        };
        let leader = Leader { name: "crm".to_owned(), pid: 1, since: DateTime::UNIX_EPOCH };
        Report {
            service: Producer::Crm,
            status: Status {
                waiting: 7,
                oldest_seconds: Some(29.0),
                parked_out: 0,
                parked_in: 0,
                parked_in_oldest_seconds: None,
                dead_tuples: 9,
                inbox_rows: None,
                leader: Some(leader),
            },
            queues: vec![queue("crm.dlq"), queue("crm.q.rl")],
        }
    }

    #[test]
    fn a_service_that_keeps_up_has_nothing_wrong() {
        assert_eq!(of(&report()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named_with_what_to_do() {
        let mut report = report();
        report.status.leader = None;
        report.status.oldest_seconds = Some(31.0);
        report.status.parked_out = 1;
        report.status.parked_in = 2;
        report.queues[0].messages_ready = 3;
        report.queues[1].messages_ready = 4;
        let wrong = of(&report);
        let parts =
            ["no replica", "waits for 31 s", "refused 1", "2 messages", "3 dead", "nobody reads crm.q.rl"];
        assert_eq!(wrong.len(), parts.len(), "{wrong:?}");
        for (line, part) in wrong.iter().zip(parts) {
            assert!(line.contains(part) && line.contains(':'), "{line}");
        }
        report.queues[1].consumers = 1;
        assert_eq!(of(&report).len(), 5, "a queue that is read is only busy");
    }
}
