bhiv_types::ids! {
    /// Id of a decision.
    DecisionId;
}
