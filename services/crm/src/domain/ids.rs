bhiv_types::ids! {
    /// Id of a lead.
    LeadId;
    /// Id of an opportunity.
    OpportunityId;
    /// Id of an account.
    AccountId;
    /// Id of a contact.
    ContactId;
}
