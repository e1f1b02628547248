use std::fmt::Write as _;

use super::words;

/// What a search says, as PostgreSQL reads a `tsquery`.
///
/// Words side by side have to be there all, `OR` stands between alternatives, `-` before what may not be there, a `*`
/// after how a word begins, quotes around words that follow each other, parentheses around what belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextQuery(String);

/// Why it is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {position}: {says}")]
pub struct QueryFault {
    /// Which character of the text, from 1.
    pub position: usize,
    /// What is wrong there.
    pub says: &'static str,
}

/// Words of a search, at most.
const MOST: usize = 40;

/// Parentheses within each other, at most.
const DEEPEST: usize = 10;

impl TextQuery {
    /// Reads what somebody typed.
    pub fn read(text: &str) -> Result<Self, QueryFault> {
        let mut parser = Parser { letters: text.chars().collect(), at: 0, words: 0 };
        let term = parser.either(0)?;
        if let Some(letter) = parser.peek() {
            let says =
                if letter == ')' { "this parenthesis was never opened" } else { "nothing can stand here" };
            return Err(fault(parser.at, says));
        }
        if !term.is_positive {
            return Err(fault(0, "a search needs something to look for besides what may not be there"));
        }
        Ok(Self(term.text))
    }

    /// For `::tsquery`.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn fault(at: usize, says: &'static str) -> QueryFault {
    QueryFault { position: at + 1, says }
}

/// A part of a search.
struct Term {
    text: String,
    /// Whether it says what has to be there, so that an index finds it.
    is_positive: bool,
}

struct Parser {
    letters: Vec<char>,
    at: usize,
    words: usize,
}

impl Parser {
    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.letters.get(self.at).is_some_and(|letter| letter.is_whitespace()) {
            self.at += 1;
        }
        self.letters.get(self.at).copied()
    }

    /// Whether `OR` comes next, as a word of its own.
    fn is_or(&mut self) -> bool {
        self.peek();
        let rest = self.letters.get(self.at..).unwrap_or_default();
        matches!(rest, ['O', 'R'])
            || matches!(rest, ['O', 'R', next, ..] if next.is_whitespace() || ['(', ')', '"'].contains(next))
    }

    fn either(&mut self, depth: usize) -> Result<Term, QueryFault> {
        let mut whole = self.all(depth)?;
        while self.is_or() {
            self.at += 2;
            let next = self.all(depth)?;
            whole.text = format!("{} | {}", whole.text, next.text);
            whole.is_positive &= next.is_positive;
        }
        whole.text = format!("({})", whole.text);
        Ok(whole)
    }

    fn all(&mut self, depth: usize) -> Result<Term, QueryFault> {
        let mut parts = Vec::new();
        while !self.is_or()
            && let Some(letter) = self.peek()
            && letter != ')'
        {
            parts.push(self.one(depth)?);
        }
        if parts.is_empty() {
            return Err(fault(self.at, "a word is missing here"));
        }
        let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
        Ok(Term { text: texts.join(" & "), is_positive: parts.iter().any(|part| part.is_positive) })
    }

    fn one(&mut self, depth: usize) -> Result<Term, QueryFault> {
        let begin = self.at;
        match self.peek() {
            Some('-') => {
                self.at += 1;
                if self.letters.get(self.at).is_none_or(|next| next.is_whitespace() || *next == ')') {
                    return Err(fault(self.at, "after the minus sign a word is missing"));
                }
                let term = self.one(depth)?;
                Ok(Term { text: format!("!{}", term.text), is_positive: false })
            }
            Some('(') if depth == DEEPEST => Err(fault(begin, "parentheses are too deep here")),
            Some('(') => {
                self.at += 1;
                let term = self.either(depth + 1)?;
                if self.peek() != Some(')') {
                    return Err(fault(begin, "this parenthesis is never closed"));
                }
                self.at += 1;
                Ok(term)
            }
            Some('"') => {
                self.at += 1;
                let end = self.letters.iter().skip(self.at).position(|letter| *letter == '"');
                let Some(end) = end else { return Err(fault(begin, "this quotation never ends")) };
                let text: String = self.letters.iter().skip(self.at).take(end).collect();
                self.at += end + 1;
                self.phrase(begin, &text, false)
            }
            _ => {
                let is_part = |letter: &char| !letter.is_whitespace() && !['(', ')', '"'].contains(letter);
                let text: String = self.letters.iter().skip(self.at).take_while(|it| is_part(it)).collect();
                self.at += text.chars().count();
                let word = text.strip_suffix('*');
                self.phrase(begin, word.unwrap_or(&text), word.is_some())
            }
        }
    }

    /// Words that follow each other; the last one may be how a word begins.
    fn phrase(&mut self, begin: usize, text: &str, is_prefix: bool) -> Result<Term, QueryFault> {
        let words: Vec<_> = words::split(text).collect();
        if words.is_empty() {
            return Err(fault(begin, "there is no letter or digit in this"));
        }
        self.words += words.len();
        if self.words > MOST {
            return Err(fault(begin, "a search has at most 40 words"));
        }
        let mut phrase = String::new();
        for (number, word) in words.iter().enumerate() {
            let _ = write!(phrase, "{}'{word}'", if number == 0 { "" } else { " <-> " });
        }
        let star = if is_prefix { ":*" } else { "" };
        Ok(Term { text: format!("({phrase}{star})"), is_positive: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_a_query() {
        for (typed, query) in [
            ("Asha", "(('asha'))"),
            ("lead_created verma", "(('lead' <-> 'created') & ('verma'))"),
            ("ver* -\"in full\"", "(('ver':*) & !('in' <-> 'full'))"),
            ("a OR (b -c) OR d", "(('a') | (('b') & !('c')) | ('d'))"),
            ("ORDER or", "(('order') & ('or'))"),
            ("o'neil\\", "(('o' <-> 'neil'))"),
        ] {
            assert_eq!(TextQuery::read(typed).unwrap().text(), query);
        }
    }

    #[test]
    fn what_does_not_parse_says_where() {
        for (typed, position) in [
            ("", 1),
            ("  ", 3),
            ("(a", 1),
            ("a)", 2),
            ("a \"b", 3),
            ("a -", 4),
            ("a OR", 5),
            ("OR a", 1),
            ("-a", 1),
            ("a OR -b", 1),
            ("a ()", 4),
            ("a !!", 3),
            ("o'neil %", 8),
            (&"(".repeat(12), 11),
            (&"a ".repeat(41), 81),
        ] {
            assert_eq!(TextQuery::read(typed).unwrap_err().position, position, "{typed}");
        }
    }
}
