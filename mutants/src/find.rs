//! Finds the mutants of a file: the kinds that cargo-mutants has, and statements left out.

use crate::mutant::{Mutant, Shape, Site};
use crate::values;
use quote::ToTokens;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, BinOp, Block, Expr, ItemImpl, Pat, ReturnType, Signature, Stmt, UnOp};

/// As much of an expression as names it.
const SHOWN: usize = 90;

/// What stands in one file.
#[derive(Default)]
pub(crate) struct Found {
    /// In the order of their starts, whole before part.
    pub(crate) sites: Vec<Site>,
    pub(crate) mutants: Vec<Mutant>,
    /// Mutants that cannot be switched on while the program runs: why, and how many.
    pub(crate) skipped: BTreeMap<&'static str, usize>,
}

/// Finds the mutants of `source`; the first is called `first`.
pub(crate) fn find(path: &Path, source: &str, first: u32) -> syn::Result<Found> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        path,
        source,
        next: first,
        owners: Vec::new(),
        skip: None,
        keys: BTreeMap::new(),
        found: Found::default(),
    };
    finder.visit_file(&file);
    let mut found = finder.found;
    found.sites.sort_by_key(|site| (site.range.start, std::cmp::Reverse(site.range.end)));
    Ok(found)
}

/// Whether something is compiled for tests only, or not with the features that tests have.
pub(crate) fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let words = attribute.meta.to_token_stream().to_string();
        words == "test" || (words.starts_with("cfg") && (words.contains("test") || words.contains("not (")))
    })
}

struct Finder<'a> {
    path: &'a Path,
    source: &'a str,
    next: u32,
    /// `impl`s, traits and functions around, the outermost first.
    owners: Vec<String>,
    /// Why mutants here are counted only.
    skip: Option<&'static str>,
    /// How often a key was given.
    keys: BTreeMap<String, usize>,
    found: Found,
}

impl Finder<'_> {
    /// A site, with what each of its mutants has in place of what is written, and how that is told.
    fn add(&mut self, range: Range<usize>, at: proc_macro2::Span, shape: Shape, mutants: Vec<(String, String)>) {
        if let Some(why) = self.skip {
            *self.found.skipped.entry(why).or_default() += mutants.len();
            return;
        }
        let mut ids = Vec::new();
        for (value, told) in mutants {
            let mut key = format!("{}: {told}", self.owners.join("::"));
            let times = self.keys.entry(key.clone()).or_default();
            *times += 1;
            if *times > 1 {
                key = format!("{key} #{times}");
            }
            let (line, column) = (at.start().line, at.start().column + 1);
            self.found.mutants.push(Mutant { id: self.next, file: self.path.to_owned(), line, column, key });
            ids.push((self.next, value));
            self.next += 1;
        }
        if !ids.is_empty() {
            self.found.sites.push(Site { range, shape, mutants: ids });
        }
    }

    /// The text as it is told: on one line, and the same however it is wrapped.
    fn told(&self, spanned: &impl Spanned) -> String {
        let text = self.source.get(spanned.span().byte_range()).unwrap_or_default();
        let without =
            text.lines().map(|line| line.split("// ").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
        let mut told = without.split_whitespace().collect::<Vec<_>>().join(" ");
        for (wrapped, flat) in
            [(" .", "."), ("( ", "("), (", )", ")"), (" )", ")"), ("[ ", "["), (", ]", "]"), (" ]", "]")]
        {
            told = told.replace(wrapped, flat);
        }
        if told.chars().count() > SHOWN {
            told = told.chars().take(SHOWN).chain(['…']).collect();
        }
        told
    }

    fn within(&mut self, owner: String, skip: Option<&'static str>, visit: impl FnOnce(&mut Self)) {
        let before = self.skip;
        self.skip = before.or(skip);
        self.owners.push(owner);
        visit(self);
        self.owners.pop();
        self.skip = before;
    }

    fn skipping(&mut self, why: &'static str, visit: impl FnOnce(&mut Self)) {
        let before = self.skip;
        self.skip = before.or(Some(why));
        visit(self);
        self.skip = before;
    }

    /// Values in place of the body.
    fn body(&mut self, signature: &Signature, block: &Block) {
        let start = block.brace_token.span.open().byte_range().end;
        let nothing = matches!(&signature.output, ReturnType::Default) && block.stmts.is_empty();
        let is_default = signature.ident == "default" && signature.inputs.is_empty();
        if nothing {
            return;
        }
        if let (true, Some(Stmt::Expr(end, None))) = (values::is_iterator(&signature.output), block.stmts.last()) {
            let mutants = vec![(String::new(), "return nothing".to_owned())];
            self.add(end.span().byte_range(), signature.ident.span(), Shape::Iterator, mutants);
            return;
        }
        let body = match &block.stmts[..] {
            [Stmt::Expr(expr, None)] => expr.to_token_stream().to_string(),
            _ => String::new(),
        };
        let same = |value: &str| syn::parse_str::<Expr>(value).is_ok_and(|e| e.to_token_stream().to_string() == body);
        let mutants = values::of_return(&signature.output)
            .into_iter()
            .filter(|value| !same(value))
            .filter(|value| !is_default || !value.contains("Default::default()"))
            .map(|value| (value.clone(), format!("return {value}")))
            .collect();
        self.add(start..start, signature.ident.span(), Shape::Body, mutants);
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, block: &Block) {
        if is_left_out(attributes) {
            return;
        }
        let skip = signature.constness.map(|_| "const fn");
        self.within(signature.ident.to_string(), skip, |me| {
            me.body(signature, block);
            visit::visit_block(me, block);
        });
    }

    fn binary(&mut self, binary: &syn::ExprBinary) {
        let operator = binary.op.to_token_stream().to_string();
        let replacements: &[&str] = match binary.op {
            BinOp::Eq(_) => &["!="],
            BinOp::Ne(_) => &["=="],
            BinOp::Lt(_) => &["==", ">", "<="],
            BinOp::Gt(_) => &["==", "<", ">="],
            BinOp::Le(_) => &[">"],
            BinOp::Ge(_) => &["<"],
            BinOp::And(_) => &["||"],
            BinOp::Or(_) => &["&&"],
            BinOp::Add(_) => &["-", "*"],
            BinOp::Sub(_) | BinOp::Mul(_) => &["+", "/"],
            BinOp::Div(_) => &["%", "*"],
            BinOp::Rem(_) => &["/", "+"],
            BinOp::Shl(_) => &[">>"],
            BinOp::Shr(_) => &["<<"],
            BinOp::BitAnd(_) => &["|", "^"],
            BinOp::BitOr(_) => &["&", "^"],
            BinOp::BitXor(_) => &["|", "&"],
            BinOp::AddAssign(_) => &["-=", "*="],
            BinOp::SubAssign(_) | BinOp::MulAssign(_) => &["+=", "/="],
            BinOp::DivAssign(_) => &["%=", "*="],
            BinOp::RemAssign(_) => &["/=", "+="],
            BinOp::ShlAssign(_) => &[">>="],
            BinOp::ShrAssign(_) => &["<<="],
            BinOp::BitAndAssign(_) => &["|=", "^="],
            BinOp::BitOrAssign(_) => &["&=", "^="],
            BinOp::BitXorAssign(_) => &["|=", "&="],
            _ => return,
        };
        let (left, right) = (binary.left.span().byte_range(), binary.right.span().byte_range());
        let shape = match &*operator {
            "==" | "!=" | "<=" | ">=" => Shape::Flip,
            "<" | ">" => Shape::Compare { left, right, operator: operator.clone() },
            "&&" | "||" if has_let(&binary.left) || has_let(&binary.right) => {
                *self.found.skipped.entry("let chain").or_default() += 1;
                return;
            }
            "&&" | "||" => Shape::Lazy { left, right, and: operator == "&&" },
            assign if assign.ends_with('=') => Shape::Assign { left, right, operator: operator.clone() },
            _ => Shape::Binary { left, right, operator: operator.clone() },
        };
        // Of a chain of conditions the end says which one is meant.
        let place = match &shape {
            Shape::Lazy { .. } => format!("before `{}`", self.told(&binary.right)),
            _ => format!("in `{}`", self.told(binary)),
        };
        let mutants =
            replacements.iter().map(|other| ((*other).to_owned(), format!("{operator} to {other} {place}"))).collect();
        self.add(binary.span().byte_range(), binary.op.span(), shape, mutants);
    }

    fn arms(&mut self, expr: &syn::ExprMatch) {
        let last = expr.arms.iter().position(|arm| arm.guard.is_none() && matches!(arm.pat, Pat::Wild(_)));
        for (index, arm) in expr.arms.iter().enumerate() {
            let pattern = self.told(&arm.pat);
            if let Some((_, guard)) = &arm.guard {
                let text = self.told(guard);
                let told = |value: &str| (value.to_owned(), format!("guard {value} in `{pattern} if {text}`"));
                let mutants = ["true", "false"].map(told).to_vec();
                self.add(guard.span().byte_range(), guard.span(), Shape::Guard, mutants);
            } else if last.is_some_and(|last| index < last) {
                let end = arm.pat.span().byte_range().end;
                self.add(
                    end..end,
                    arm.pat.span(),
                    Shape::Arm,
                    vec![(String::new(), format!("arm left out `{pattern}`"))],
                );
            }
        }
    }
}

/// `let` makes a condition that is no value.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// A call, awaited or not, whose failure is passed on or not.
fn is_call(expr: &Expr) -> bool {
    match expr {
        Expr::Try(inner) => is_call(&inner.expr),
        Expr::Await(inner) => is_call(&inner.base),
        Expr::Call(_) | Expr::MethodCall(_) => true,
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    /// What stands in a pattern is constant.
    fn visit_pat(&mut self, _: &'ast Pat) {}

    /// Lengths of arrays are constant.
    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_left_out(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if is_left_out(&item.attrs) {
            return;
        }
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
            other => other.to_token_stream().to_string(),
        };
        let owner = match &item.trait_ {
            Some((_, path, _)) => {
                let segment = path.segments.last().map(|s| s.to_token_stream().to_string()).unwrap_or_default();
                format!("<{name} as {}>", segment.replace(' ', ""))
            }
            None => name,
        };
        self.within(owner, None, |me| visit::visit_item_impl(me, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), None, |me| visit::visit_item_trait(me, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.skipping("constant", |me| visit::visit_item_const(me, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.skipping("constant", |me| visit::visit_impl_item_const(me, item));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.skipping("constant", |me| visit::visit_trait_item_const(me, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.skipping("constant", |me| visit::visit_item_static(me, item));
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.skipping("constant", |me| visit::visit_variant(me, variant));
    }

    fn visit_expr_const(&mut self, expr: &'ast syn::ExprConst) {
        self.skipping("constant", |me| visit::visit_expr_const(me, expr));
    }

    fn visit_expr_repeat(&mut self, expr: &'ast syn::ExprRepeat) {
        self.visit_expr(&expr.expr);
    }

    fn visit_generic_argument(&mut self, argument: &'ast syn::GenericArgument) {
        self.skipping("constant", |me| visit::visit_generic_argument(me, argument));
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        self.binary(expr);
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        if matches!(expr.op, UnOp::Not(_) | UnOp::Neg(_)) {
            let operator = expr.op.to_token_stream().to_string();
            let told = format!("without {operator} in `{}`", self.told(expr));
            let shape = Shape::Unary { operand: expr.expr.span().byte_range(), operator };
            self.add(expr.span().byte_range(), expr.op.span(), shape, vec![(String::new(), told)]);
        }
        visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.arms(expr);
        visit::visit_expr_match(self, expr);
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        if let Stmt::Expr(expr, Some(_)) = stmt
            && is_call(expr)
        {
            let told = format!("without `{}`", self.told(expr));
            self.add(stmt.span().byte_range(), expr.span(), Shape::Statement, vec![(String::new(), told)]);
        }
        visit::visit_stmt(self, stmt);
    }
}
