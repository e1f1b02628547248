bhiv_types::ids! {
    /// Id of an entry: that of its event.
    EntryId;
}
