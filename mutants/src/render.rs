//! A file with its mutants compiled in, and where in it each of them went.

use crate::mutant::{Shape, Site};
use std::collections::BTreeSet;
use std::ops::Range;

/// The file as the compiler gets it.
#[derive(Default)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// Where mutants stand in `text`, so that an error of the compiler finds whose it is: those of a value or an operator, and
    /// of each whole site.
    pub(crate) marks: Vec<(Range<usize>, Vec<u32>)>,
}

struct Writer<'a> {
    source: &'a str,
    sites: &'a [Site],
    /// What does not compile.
    dropped: &'a BTreeSet<u32>,
    out: Rendered,
}

/// Writes a file: `sites` in the order of their starts, whole before part.
pub(crate) fn render(source: &str, sites: &[Site], dropped: &BTreeSet<u32>, head: &str) -> Rendered {
    let mut writer = Writer { source, sites, dropped, out: Rendered { text: head.to_owned(), marks: Vec::new() } };
    writer.part(0..source.len(), 0);
    writer.out
}

impl Writer<'_> {
    /// Copies a part of the source, with the sites that stand in it. The first that may is `first`.
    fn part(&mut self, range: Range<usize>, first: usize) {
        let mut at = range.start;
        for (index, site) in self.sites.iter().enumerate().skip(first) {
            if site.range.start >= range.end && !(site.range.is_empty() && site.range.start == range.end) {
                break;
            }
            if site.range.start < at || site.range.end > range.end {
                continue;
            }
            let alive: Vec<(u32, &str)> = site
                .mutants
                .iter()
                .filter(|(id, _)| !self.dropped.contains(id))
                .map(|(id, v)| (*id, v.as_str()))
                .collect();
            if alive.is_empty() {
                continue;
            }
            self.text(&self.source[at..site.range.start]);
            let start = self.out.text.len();
            self.site(site, &alive, index + 1);
            self.out.marks.push((start..self.out.text.len(), alive.iter().map(|(id, _)| *id).collect()));
            at = site.range.end;
        }
        self.text(&self.source[at..range.end]);
    }

    fn text(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    /// What one mutant alone does.
    fn variant(&mut self, id: u32, text: &str) {
        let start = self.out.text.len();
        self.out.text.push_str(text);
        self.out.marks.push((start..self.out.text.len(), vec![id]));
    }

    fn site(&mut self, site: &Site, alive: &[(u32, &str)], next: usize) {
        match &site.shape {
            Shape::Body => {
                for (id, value) in alive {
                    self.text(&format!(" if {} {{ return ", on(*id)));
                    self.variant(*id, value);
                    self.text("; }");
                }
            }
            Shape::Iterator => {
                self.text("(");
                self.part(site.range.clone(), next);
                self.text(&format!(").take(if {} {{ 0 }} else {{ usize::MAX }})", on(alive[0].0)));
            }
            Shape::Flip => {
                self.text("((");
                self.part(site.range.clone(), next);
                self.text(&format!(") != {})", on(alive[0].0)));
            }
            Shape::Compare { left, right, operator } => self.compare(alive, (left, right), operator, next),
            Shape::Lazy { left, right, and } => {
                let (id, other) = (on(alive[0].0), if *and { "" } else { "!" });
                // `a && b` is b if a, else false; `a || b` is b unless a, else true.
                self.text("(if (");
                self.part(left.clone(), next);
                self.text(&format!(") {} {id} {{ ", if *and { "!=" } else { "==" }));
                self.part(right.clone(), next);
                self.text(&format!(" }} else {{ {other}{id} }})"));
            }
            Shape::Binary { left, right, operator } => {
                self.text("(match ((");
                self.part(left.clone(), next);
                self.text("), (");
                self.part(right.clone(), next);
                self.text(")) { (l, r) => ");
                for (id, operator) in alive {
                    self.text(&format!("if {} {{ ", on(*id)));
                    self.variant(*id, &format!("l {operator} r"));
                    self.text(" } else ");
                }
                self.text(&format!("{{ l {operator} r }} }})"));
            }
            Shape::Assign { left, right, operator } => self.assign(alive, (left, right), operator, next),
            Shape::Unary { operand, operator } => {
                self.text("(match (");
                self.part(operand.clone(), next);
                self.text(&format!(") {{ v => if {} {{ ", on(alive[0].0)));
                self.variant(alive[0].0, "v");
                self.text(&format!(" }} else {{ {operator}v }} }})"));
            }
            Shape::Arm => self.text(&format!(" if !{}", on(alive[0].0))),
            Shape::Guard => {
                self.text("((");
                self.part(site.range.clone(), next);
                self.text(")");
                for (id, value) in alive {
                    self.text(&if *value == "true" {
                        format!(" || {}", on(*id))
                    } else {
                        format!(") && (!{}", on(*id))
                    });
                }
                self.text(")");
            }
            Shape::Statement => {
                self.text(&format!("if !{} {{ ", on(alive[0].0)));
                self.part(site.range.clone(), next);
                self.text(" }");
            }
        }
    }

    fn compare(
        &mut self,
        alive: &[(u32, &str)],
        operands: (&Range<usize>, &Range<usize>),
        operator: &str,
        next: usize,
    ) {
        self.text("(match (&(");
        self.part(operands.0.clone(), next);
        self.text("), &(");
        self.part(operands.1.clone(), next);
        self.text(&format!(")) {{ (l, r) => ::mutant_switch::choose(*l {operator} *r, &["));
        for (id, operator) in alive {
            self.text(&format!("({id}, "));
            self.variant(*id, &format!("*l {operator} *r"));
            self.text("), ");
        }
        self.text("]) })");
    }

    fn assign(&mut self, alive: &[(u32, &str)], operands: (&Range<usize>, &Range<usize>), operator: &str, next: usize) {
        self.text("match (");
        self.part(operands.1.clone(), next);
        self.text(") { r => ");
        for (id, operator) in alive {
            self.text(&format!("if {} {{ ", on(*id)));
            self.variant(*id, &format!("{} {operator} r", &self.source[operands.0.clone()]));
            self.text(" } else ");
        }
        self.text("{ ");
        self.part(operands.0.clone(), next);
        self.text(&format!(" {operator} r }} }}"));
    }
}

fn on(id: u32) -> String {
    format!("::mutant_switch::on({id})")
}
