//! The texts of actions: minijinja templates over `event` and `data`.
//!
//! A name that is not there is an error and not an empty text, so that a mistyped field shows in the run.

use std::sync::LazyLock;

use minijinja::{Environment, Error, UndefinedBehavior};

use super::facts::Facts;
use super::stack::with_room;

/// Instructions that one rendering may take, so that no template holds up the events behind it.
const FUEL: u64 = 100_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
});

/// Checks that `source` is a template.
///
/// # Errors
/// Where and why it is none.
pub fn check(source: &str) -> Result<(), String> {
    with_room(|| ENVIRONMENT.template_from_str(source).map(drop).map_err(|error| in_words(&error)))?
}

/// The text that `source` gives.
///
/// # Errors
/// Where and why it gives none.
pub fn render(source: &str, facts: &Facts) -> Result<String, String> {
    let text = with_room(|| ENVIRONMENT.render_str(source, facts).map_err(|error| in_words(&error)))??;
    // JSON can carry this character, PostgreSQL's text cannot.
    Ok(text.replace('\0', ""))
}

fn in_words(error: &Error) -> String {
    let place = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{place}{}{detail}", error.kind())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        Facts {
            event: json!({"subject": "lead/1"}),
            data: json!({"name": "<Asha> & \u{0}co", "need": null, "count": 3}),
        }
    }

    #[test]
    fn a_text_comes_out_as_it_is() {
        let text = render("{{ data.name }} of {{ event.subject }}: {{ data.count + 1 }}", &facts());
        assert_eq!(text.as_deref(), Ok("<Asha> & co of lead/1: 4"));
        assert_eq!(render("{% if data.need %}need{% endif %}", &facts()).as_deref(), Ok(""));
        assert_eq!(render("{{ data.need or 'nothing' }}", &facts()).as_deref(), Ok("nothing"));
    }

    #[test]
    fn a_fault_says_its_line() {
        let fault = check("first\n{{ data.").unwrap_err();
        assert!(fault.starts_with("line 2: syntax error: "), "{fault}");
        let fault = render("first\n\n{{ data.nmae }}", &facts()).unwrap_err();
        assert_eq!(fault, "line 3: undefined value");
    }

    #[test]
    fn what_is_nested_deeply_is_an_answer_all_the_same() {
        for (open, close) in [("data.items[", "]"), ("range(", ")"), ("", ".b"), ("(", "")] {
            let source = format!("{{{{ {}1{} }}}}", open.repeat(140), close.repeat(999));
            assert!(render(&source, &facts()).is_err(), "{open}");
        }
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let endless = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        let fault = render(endless, &facts()).unwrap_err();
        assert!(fault.ends_with("engine ran out of fuel"), "{fault}");
    }
}
