use bhiv_types::Priority;

use super::order::OrderStatus;

/// What can be decided about an order that is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Decision {
    /// Fulfil it.
    Approve,
    /// Fulfil it before others.
    Expedite,
    /// Look at it first.
    Hold,
}

impl Decision {
    /// Where the order goes.
    pub fn status(self) -> OrderStatus {
        match self {
            Self::Approve | Self::Expedite => OrderStatus::Approved,
            Self::Hold => OrderStatus::OnHold,
        }
    }

    /// How urgent an order of this priority becomes.
    pub fn priority(self, before: Priority) -> Priority {
        match self {
            Self::Expedite => Priority::Urgent,
            Self::Approve | Self::Hold => before,
        }
    }
}

#[cfg(test)]
mod tests {
    use bhiv_types::State as _;

    use super::*;

    #[test]
    fn a_pending_order_can_go_where_every_decision_sends_it() {
        for decision in [Decision::Approve, Decision::Expedite, Decision::Hold] {
            assert!(OrderStatus::Pending.become_(decision.status()).is_ok(), "{decision:?}");
        }
    }
}
