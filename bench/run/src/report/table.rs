//! A table, in text and in Markdown.

/// A table of strings: the first column left, the others right.
pub(crate) struct Table {
    pub title: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|at| self.lines().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = format!("{}\n", self.title);
        for line in self.lines() {
            let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let rule = self.head.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" });
        let rule = rule.map(String::from).collect();
        let mut text = format!("### {}\n\n", self.title);
        for line in core::iter::once(&self.head).chain([&rule]).chain(&self.rows) {
            text += &format!("| {} |\n", line.join(" | "));
        }
        text
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        core::iter::once(&self.head).chain(&self.rows)
    }
}
