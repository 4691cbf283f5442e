//! The text of a client, cut into statements, and what kind each is.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::failure::Failure;

/// One statement of a text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Letters of the whole text in front of it.
    pub(super) letters_before: usize,
    words: Vec<Word>,
}

/// One token, with the byte of the statement it begins at.
#[derive(Debug, Clone)]
struct Word {
    token: Token,
    start: usize,
}

/// What a statement wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// A question for the engine.
    Query,
    Begin,
    Commit,
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`: the tag it is answered with.
    Savepoint(&'static str),
    Set {
        name: String,
        value: Option<String>,
        is_local: bool,
    },
    Show(String),
    /// `RESET name`, or `ALL`.
    Reset(String),
    Discard(String),
    /// A prepared statement; none is all.
    Deallocate(Option<String>),
    Declare {
        cursor: String,
        query: String,
    },
    Fetch {
        cursor: String,
        rows: Rows,
        is_move: bool,
    },
    /// A cursor; none is all.
    CloseCursor(Option<String>),
    /// What is answered with its tag and does nothing here.
    Ignored(&'static str),
    /// Would change something: its first words.
    Writing(String),
    /// Is not to be had: its first words.
    Unsupported(String),
}

/// How many rows of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Some(usize),
    All,
}

/// Cuts a text at its semicolons; what is empty or only a comment is left out.
pub(super) fn split(text: &str) -> Result<Vec<Piece>, Failure> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        let place = (error.location.line, error.location.column);
        let position = Places::new(text).find(place).map(|(_, letters)| letters + 1);
        Failure { position, ..Failure::error("42601", error.message) }
    })?;
    let mut places = Places::new(text);
    let mut pieces = Vec::new();
    let mut open: Vec<(Token, usize, usize)> = Vec::new();
    for TokenWithSpan { token, span } in tokens {
        if matches!(token, Token::Whitespace(_) | Token::EOF) {
            continue;
        }
        let Some((byte, letters)) = places.find((span.start.line, span.start.column)) else { continue };
        if token == Token::SemiColon {
            pieces.extend(Piece::of(text, std::mem::take(&mut open), byte));
        } else {
            open.push((token, byte, letters));
        }
    }
    pieces.extend(Piece::of(text, open, text.len()));
    Ok(pieces)
}

/// Finds bytes by line and column, going forward only.
struct Places<'a> {
    letters: std::iter::Peekable<std::str::CharIndices<'a>>,
    place: (u64, u64),
    count: usize,
    length: usize,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { letters: text.char_indices().peekable(), place: (1, 1), count: 0, length: text.len() }
    }

    /// The byte at a place, and the letters in front of it.
    fn find(&mut self, wanted: (u64, u64)) -> Option<(usize, usize)> {
        while self.place < wanted {
            let (_, letter) = self.letters.next()?;
            self.count += 1;
            self.place =
                if letter == '\n' { (self.place.0 + 1, 1) } else { (self.place.0, self.place.1 + 1) };
        }
        Some((self.letters.peek().map_or(self.length, |(byte, _)| *byte), self.count))
    }
}

impl Piece {
    fn of(whole: &str, tokens: Vec<(Token, usize, usize)>, end: usize) -> Option<Self> {
        let (_, start, letters_before) = tokens.first()?;
        let (start, letters_before) = (*start, *letters_before);
        let text = whole.get(start..end)?.trim_end().to_owned();
        let words = tokens.into_iter().map(|(token, byte, _)| Word { token, start: byte - start }).collect();
        Some(Self { text, letters_before, words })
    }

    /// The unquoted words and names in it, in lower case.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.words.iter().filter_map(|word| match &word.token {
            Token::Word(inner) => Some(inner.value.to_lowercase()),
            _ => None,
        })
    }

    /// Its tokens with a space between each two.
    pub(super) fn spaced(&self) -> String {
        self.words.iter().map(|word| word.token.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// Is there a comparison with `ANY (…)`, `SOME (…)` or `ALL (…)`?
    pub(super) fn has_quantifier(&self) -> bool {
        (1..self.words.len()).any(|position| {
            matches!(self.word(position).as_str(), "ANY" | "SOME" | "ALL")
                && self.is(position + 1, &Token::LParen)
                && !matches!(
                    self.words.get(position - 1).map(|word| &word.token),
                    Some(Token::Word(_) | Token::LParen)
                )
        })
    }

    /// The word at a place, in capitals; empty where there is none.
    fn word(&self, position: usize) -> String {
        match self.words.get(position).map(|word| &word.token) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
            _ => String::new(),
        }
    }

    /// The name at a place, folded as PostgreSQL folds it.
    fn name(&self, position: usize) -> Option<String> {
        match self.words.get(position).map(|word| &word.token) {
            Some(Token::Word(word)) if word.quote_style.is_some() => Some(word.value.clone()),
            Some(Token::Word(word)) => Some(word.value.to_lowercase()),
            _ => None,
        }
    }

    fn is(&self, position: usize, token: &Token) -> bool {
        self.words.get(position).is_some_and(|word| word.token == *token)
    }

    /// The first two words, for a message.
    fn opening(&self) -> String {
        let words: Vec<String> =
            (0..2).map(|position| self.word(position)).filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    /// What it wants.
    pub(super) fn command(&self) -> Result<Command, Failure> {
        let second = self.word(1);
        Ok(match self.word(0).as_str() {
            "BEGIN" => Command::Begin,
            "START" if second == "TRANSACTION" => Command::Begin,
            "COMMIT" | "END" => Command::Commit,
            "ROLLBACK" | "ABORT" if (1..4).any(|position| self.word(position) == "TO") => {
                Command::Savepoint("ROLLBACK")
            }
            "ROLLBACK" | "ABORT" => Command::Rollback,
            "SAVEPOINT" => Command::Savepoint("SAVEPOINT"),
            "RELEASE" => Command::Savepoint("RELEASE"),
            "SET" => self.set()?,
            "RESET" if second == "ALL" => Command::Reset("all".to_owned()),
            "RESET" => Command::Reset(self.setting(1).0.ok_or_else(|| incomplete("RESET"))?),
            "SHOW" if matches!(second.as_str(), "TABLES" | "COLUMNS" | "FUNCTIONS") => Command::Query,
            "SHOW" => Command::Show(self.shown()?),
            "DISCARD" => Command::Discard(second),
            "DEALLOCATE" => {
                let position = if second == "PREPARE" { 2 } else { 1 };
                match self.word(position).as_str() {
                    "ALL" => Command::Deallocate(None),
                    _ => Command::Deallocate(Some(
                        self.name(position).ok_or_else(|| incomplete("DEALLOCATE"))?,
                    )),
                }
            }
            "DECLARE" => self.declare()?,
            "FETCH" => self.fetch(false)?,
            "MOVE" => self.fetch(true)?,
            "CLOSE" if second == "ALL" => Command::CloseCursor(None),
            "CLOSE" => Command::CloseCursor(Some(self.name(1).ok_or_else(|| incomplete("CLOSE"))?)),
            "UNLISTEN" => Command::Ignored("UNLISTEN"),
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "CREATE" | "ALTER" | "DROP" | "GRANT"
            | "REVOKE" | "COMMENT" | "REINDEX" | "VACUUM" | "ANALYZE" | "CLUSTER" | "REFRESH" | "IMPORT"
            | "NOTIFY" | "REASSIGN" | "SECURITY" => Command::Writing(self.opening()),
            "COPY"
                if (1..self.words.len()).any(|position| self.word(position) == "FROM")
                    && !self.is(1, &Token::LParen) =>
            {
                Command::Writing("COPY FROM".to_owned())
            }
            "COPY" | "PREPARE" | "EXECUTE" | "LISTEN" | "LOCK" | "CALL" | "DO" | "LOAD" | "CHECKPOINT" => {
                Command::Unsupported(self.word(0))
            }
            _ => Command::Query,
        })
    }

    /// A setting's name, `a` or `a.b`, and where it ends.
    fn setting(&self, position: usize) -> (Option<String>, usize) {
        let Some(mut name) = self.name(position) else { return (None, position) };
        let mut end = position + 1;
        while self.is(end, &Token::Period) {
            let Some(part) = self.name(end + 1) else { break };
            name = format!("{name}.{part}");
            end += 2;
        }
        (Some(name.to_lowercase()), end)
    }

    fn set(&self) -> Result<Command, Failure> {
        let (mut position, mut is_local) = (1, false);
        match (self.word(1).as_str(), self.word(2).as_str()) {
            ("SESSION", "CHARACTERISTICS") | ("TRANSACTION", _) => return Ok(Command::Ignored("SET")),
            ("SESSION", "AUTHORIZATION") | ("ROLE", _) => {
                return Ok(Command::Unsupported("SET ROLE".to_owned()));
            }
            ("CONSTRAINTS", _) => return Ok(Command::Ignored("SET CONSTRAINTS")),
            ("LOCAL", "TRANSACTION") => return Ok(Command::Ignored("SET")),
            ("LOCAL", _) => (position, is_local) = (2, true),
            ("SESSION", _) => position = 2,
            _ => {}
        }
        let (name, mut after) = match (self.word(position).as_str(), self.word(position + 1).as_str()) {
            ("TIME", "ZONE") => ("timezone".to_owned(), position + 2),
            ("NAMES", _) => ("client_encoding".to_owned(), position + 1),
            ("TIMEZONE", _) if !self.is(position + 1, &Token::Eq) && self.word(position + 1) != "TO" => {
                ("timezone".to_owned(), position + 1)
            }
            _ => {
                let (name, end) = self.setting(position);
                if !self.is(end, &Token::Eq) && self.word(end) != "TO" {
                    return Err(incomplete("SET"));
                }
                (name.ok_or_else(|| incomplete("SET"))?, end + 1)
            }
        };
        if matches!(self.word(after).as_str(), "DEFAULT") {
            return Ok(Command::Set { name, value: None, is_local });
        }
        let mut parts = Vec::new();
        while let Some(word) = self.words.get(after) {
            match &word.token {
                Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => {
                    parts.push(text.clone())
                }
                Token::Number(digits, _) => parts.push(digits.clone()),
                Token::Word(inner) => parts.push(inner.value.clone()),
                Token::Minus => {
                    let Some(Token::Number(digits, _)) = self.words.get(after + 1).map(|next| &next.token)
                    else {
                        return Err(incomplete("SET"));
                    };
                    parts.push(format!("-{digits}"));
                    after += 1;
                }
                _ => return Err(incomplete("SET")),
            }
            after += 1;
            match self.words.get(after).map(|next| &next.token) {
                None => break,
                Some(Token::Comma) => after += 1,
                Some(_) => return Err(incomplete("SET")),
            }
        }
        if parts.is_empty() {
            return Err(incomplete("SET"));
        }
        Ok(Command::Set { name, value: Some(parts.join(", ")), is_local })
    }

    fn shown(&self) -> Result<String, Failure> {
        Ok(match (self.word(1).as_str(), self.word(2).as_str()) {
            ("TIME", "ZONE") => "timezone".to_owned(),
            ("TRANSACTION", "ISOLATION") => "transaction_isolation".to_owned(),
            ("SESSION", "AUTHORIZATION") => "session_authorization".to_owned(),
            _ => self.setting(1).0.ok_or_else(|| incomplete("SHOW"))?,
        })
    }

    fn declare(&self) -> Result<Command, Failure> {
        let cursor = self.name(1).ok_or_else(|| incomplete("DECLARE"))?;
        let at = (2..self.words.len()).find(|position| self.word(*position) == "FOR");
        let query = at
            .and_then(|position| self.words.get(position + 1))
            .and_then(|word| self.text.get(word.start..))
            .ok_or_else(|| incomplete("DECLARE"))?;
        Ok(Command::Declare { cursor, query: query.to_owned() })
    }

    /// `FETCH [NEXT | FORWARD] [n | ALL] [FROM | IN] cursor`: cursors go forward only.
    fn fetch(&self, is_move: bool) -> Result<Command, Failure> {
        let (mut position, mut rows) = (1, Rows::Some(1));
        if matches!(self.word(position).as_str(), "NEXT" | "FORWARD") {
            position += 1;
        }
        if matches!(
            self.word(position).as_str(),
            "PRIOR" | "BACKWARD" | "FIRST" | "LAST" | "ABSOLUTE" | "RELATIVE"
        ) || self.is(position, &Token::Minus)
        {
            return Err(Failure::error("55000", "cursors go forward only: FETCH NEXT, FORWARD n, or ALL"));
        }
        match self.words.get(position).map(|word| &word.token) {
            Some(Token::Number(digits, _)) => {
                rows = Rows::Some(digits.parse().map_err(|_| incomplete("FETCH"))?);
                position += 1;
            }
            Some(Token::Word(_)) if self.word(position) == "ALL" => {
                rows = Rows::All;
                position += 1;
            }
            _ => {}
        }
        if matches!(self.word(position).as_str(), "FROM" | "IN") {
            position += 1;
        }
        let cursor = self.name(position).ok_or_else(|| incomplete("FETCH"))?;
        Ok(Command::Fetch { cursor, rows, is_move })
    }
}

fn incomplete(command: &str) -> Failure {
    Failure::error("42601", format!("syntax error in {command}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        split(text).unwrap().into_iter().map(|piece| piece.text).collect()
    }

    fn command(text: &str) -> Command {
        split(text).unwrap()[0].command().unwrap()
    }

    #[test]
    fn semicolons_in_texts_names_and_comments_do_not_cut() {
        assert_eq!(
            texts("select ';' ; select \";\" -- ;\n; /* ; */ select $a$;$a$ ;;"),
            ["select ';'", "select \";\" -- ;", "select $a$;$a$"]
        );
        assert!(texts(" ; -- nothing\n ;; /* at all */").is_empty());
        assert!(texts("").is_empty());
    }

    #[test]
    fn a_statement_knows_how_many_letters_are_before_it() {
        let pieces = split("select 'é';\n  select 2").unwrap();
        assert_eq!(pieces[1].letters_before, 14);
        assert_eq!(pieces[1].text, "select 2");
    }

    #[test]
    fn an_open_quote_is_a_syntax_error_that_says_where() {
        let failure = split("select 1;\nselect 'x").unwrap_err();
        assert_eq!((failure.code, failure.position), ("42601", Some(18)));
    }

    #[test]
    fn settings_are_read_in_all_their_spellings() {
        let set = |name: &str, value: &str| Command::Set {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            is_local: false,
        };
        assert_eq!(command("SET extra_float_digits = 3"), set("extra_float_digits", "3"));
        assert_eq!(command("set session Statement_Timeout to '5s'"), set("statement_timeout", "5s"));
        assert_eq!(command("SET search_path TO public, \"$user\""), set("search_path", "public, $user"));
        assert_eq!(command("SET TIME ZONE 'UTC'"), set("timezone", "UTC"));
        assert_eq!(command("SET NAMES 'UTF8'"), set("client_encoding", "UTF8"));
        assert_eq!(command("SET a.b = -1"), set("a.b", "-1"));
        assert_eq!(
            command("SET LOCAL statement_timeout = DEFAULT"),
            Command::Set { name: "statement_timeout".to_owned(), value: None, is_local: true }
        );
        assert_eq!(
            command("SHOW TRANSACTION ISOLATION LEVEL"),
            Command::Show("transaction_isolation".to_owned())
        );
        assert_eq!(command("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"), Command::Ignored("SET"));
        assert_eq!(split("SET x").unwrap()[0].command().unwrap_err().code, "42601");
        assert_eq!(split("SET x = (1)").unwrap()[0].command().unwrap_err().code, "42601");
    }

    #[test]
    fn cursors_and_transactions_are_told_apart() {
        assert_eq!(
            command("DECLARE \"C 1\" CURSOR WITHOUT HOLD FOR SELECT 1"),
            Command::Declare { cursor: "C 1".to_owned(), query: "SELECT 1".to_owned() }
        );
        let fetch = |rows| Command::Fetch { cursor: "c".to_owned(), rows, is_move: false };
        assert_eq!(command("FETCH FORWARD 50 FROM C"), fetch(Rows::Some(50)));
        assert_eq!(command("FETCH ALL IN c"), fetch(Rows::All));
        assert_eq!(command("FETCH c"), fetch(Rows::Some(1)));
        assert_eq!(command("ROLLBACK TO SAVEPOINT x"), Command::Savepoint("ROLLBACK"));
        assert_eq!(command("rollback"), Command::Rollback);
        assert_eq!(command("insert into runs values (1)"), Command::Writing("INSERT INTO".to_owned()));
        assert_eq!(command("COPY runs FROM STDIN"), Command::Writing("COPY FROM".to_owned()));
        assert_eq!(command("with x as (select 1) select * from x"), Command::Query);
    }
}
