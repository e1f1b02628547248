bhiv_types::ids! {
    /// Id of a task.
    TaskId;
    /// Id of a customer's feedback.
    FeedbackId;
    /// Id of a workflow.
    WorkflowId;
    /// Id of a review.
    ReviewId;
    /// Id of a run of a workflow.
    RunId;
    /// Id of a task that comes again and again.
    RecurringId;
    /// Id of what a workflow asks a person.
    ApprovalId;
}
