//! Tables of text as people keep them: separated by commas, semicolons or tabs, with or without a heading.
//!
//! Knows quoting (RFC 4180) and byte order marks; nothing of what the columns mean. Lines that do not read are skipped.

/// A table: its heading in lower case, and its rows with their lines in the file.
#[derive(Debug, Default)]
pub struct Table {
    /// The first row, trimmed and in lower case.
    pub heading: Vec<String>,
    /// Every row, the first included: line from 1, cells.
    pub rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Reads a table; the separator is the one that the first line has most of.
    pub fn read(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = text.lines().next().unwrap_or_default();
        let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
        let separator = [b',', b';', b'\t'].into_iter().max_by_key(count).filter(|one| count(one) > 0).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(text.as_bytes());
        let mut table = Self::default();
        for record in reader.records().flatten() {
            // Behind "\r\n" the position is that of the "\n".
            let line = record.position().map_or(0, |at| {
                let rest = usize::try_from(at.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
                at.line() + u64::from(rest.starts_with('\n'))
            });
            table.rows.push((line, record.iter().map(|cell| cell.trim().to_owned()).collect()));
        }
        let heading = table.rows.first().map(|(_, cells)| cells.iter().map(|cell| cell.to_lowercase()).collect());
        table.heading = heading.unwrap_or_default();
        table
    }

    /// The column that is called one of these names; the first name that is there wins.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        let same = |cell: &String, name: &str| cell.replace([' ', '-'], "_") == name;
        names.iter().find_map(|name| self.heading.iter().position(|cell| same(cell, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn separators_quotes_and_marks_are_understood() {
        for text in [
            "Old Address,New\na@x.example,\"b, c\"\n",
            "\u{feff}old_address;new\r\na@x.example;\"b, c\"\r\n",
            "old-address\tnew\na@x.example\tb, c\n",
        ] {
            let table = Table::read(text);
            assert_eq!(table.column(&["nothing", "old_address"]), Some(0), "{text}");
            assert_eq!(table.rows[1], (2, vec!["a@x.example".to_owned(), "b, c".to_owned()]), "{text}");
        }
        assert!(Table::read("").rows.is_empty());
    }
}
