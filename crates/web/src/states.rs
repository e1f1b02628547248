use std::fmt::Write as _;

use bhiv_types::State;

/// A state machine, as it is documented: from the very table that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Name of the states' schema, for example `LeadStatus`.
    pub name: String,
    /// Every state with those that may follow it.
    pub transitions: Vec<(String, Vec<String>)>,
}

impl Machine {
    pub(crate) fn of<S: State>(name: String) -> Self {
        let names = |states: &[S]| states.iter().map(ToString::to_string).collect();
        let transitions = S::TRANSITIONS.iter().map(|(from, next)| (from.to_string(), names(next))).collect();
        Self { name, transitions }
    }

    /// What may follow each state, as a list in Markdown.
    pub(crate) fn in_words(&self) -> String {
        let lines = self.transitions.iter().map(|(from, next)| {
            if next.is_empty() {
                return format!("- `{from}`: nothing follows");
            }
            let next: Vec<_> = next.iter().map(|state| format!("`{state}`")).collect();
            format!("- `{from}` may become {}", next.join(", "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A diagram, in Mermaid's language. A record begins in the first state of the table.
    pub fn diagram(&self) -> String {
        let mut text = "stateDiagram-v2\n".to_owned();
        if let Some((first, _)) = self.transitions.first() {
            let _ = writeln!(text, "    [*] --> {first}");
        }
        for (from, next) in &self.transitions {
            for to in next {
                let _ = writeln!(text, "    {from} --> {to}");
            }
            if next.is_empty() {
                let _ = writeln!(text, "    {from} --> [*]");
            }
        }
        text
    }
}
