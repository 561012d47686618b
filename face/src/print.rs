//! Items as lines of text, without bodies and words.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemMacro, TraitItem, Visibility};

/// Tokens as one writes them, more or less.
pub(crate) fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" :", ":"),
        (" ;", ";"),
        (",>", ">"),
        (",)", ")"),
        ("! (", "!("),
        (" ?", "?"),
        ("->(", "-> ("),
    ] {
        text = text.replace(from, to);
    }
    text
}

fn public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// What of the attributes those who depend on an item can feel.
fn felt(attrs: &[Attribute]) -> String {
    let felt = |a: &&Attribute| {
        ["cfg", "derive", "non_exhaustive", "must_use", "repr", "deprecated"].iter().any(|n| a.path().is_ident(n))
    };
    attrs.iter().filter(felt).map(|a| format!("#[{}] ", text(&a.meta))).collect()
}

/// Whether it is an enum, or a struct all of whose fields are public, that does not say that it can grow.
pub(crate) fn is_closed(item: &Item) -> bool {
    let (attrs, open) = match item {
        Item::Enum(item) => (&item.attrs, true),
        Item::Struct(item) => (&item.attrs, !item.fields.is_empty() && item.fields.iter().all(|f| public(&f.vis))),
        _ => return false,
    };
    open && !attrs.iter().any(|a| a.path().is_ident("non_exhaustive"))
}

pub(crate) fn item(item: &Item) -> Vec<String> {
    match item {
        Item::Const(i) => vec![format!("{}pub const {}: {}", felt(&i.attrs), i.ident, text(&i.ty))],
        Item::Static(i) => vec![format!("{}pub static {}: {}", felt(&i.attrs), i.ident, text(&i.ty))],
        Item::Fn(i) => vec![format!("{}pub {}", felt(&i.attrs), text(&i.sig))],
        Item::Type(i) => vec![format!("{}pub type {}{} = {}", felt(&i.attrs), i.ident, text(&i.generics), text(&i.ty))],
        Item::Struct(i) => {
            let (generics, wheres) = (&i.generics, &i.generics.where_clause);
            let mut lines = vec![
                format!("{}pub struct {}{} {}", felt(&i.attrs), i.ident, text(generics), text(wheres))
                    .trim_end()
                    .to_owned(),
            ];
            lines.extend(fields(&i.fields, true));
            lines
        }
        Item::Enum(i) => {
            let mut lines = vec![format!("{}pub enum {}{}", felt(&i.attrs), i.ident, text(&i.generics))];
            for variant in &i.variants {
                lines.push(format!("  {}{}", felt(&variant.attrs), variant.ident));
                lines.extend(fields(&variant.fields, false).into_iter().map(|line| format!("  {line}")));
            }
            lines
        }
        Item::Trait(i) => {
            let (ident, generics, above) = (&i.ident, &i.generics, &i.supertraits);
            let mut lines = vec![format!("{}pub {}", felt(&i.attrs), text(&quote!(trait #ident #generics: #above)))];
            for item in &i.items {
                lines.push(match item {
                    TraitItem::Fn(f) => format!(
                        "  {}{}{}",
                        felt(&f.attrs),
                        text(&f.sig),
                        if f.default.is_some() { " { .. }" } else { "" }
                    ),
                    TraitItem::Type(t) => format!("  type {}: {}", t.ident, text(&t.bounds)),
                    TraitItem::Const(c) => format!("  const {}: {}", c.ident, text(&c.ty)),
                    other => format!("  {}", text(other)),
                });
            }
            lines
        }
        _ => Vec::new(),
    }
}

fn fields(fields: &Fields, only_public: bool) -> Vec<String> {
    let seen = |f: &&syn::Field| !only_public || public(&f.vis);
    let mut lines: Vec<_> = fields
        .iter()
        .enumerate()
        .filter(|(_, f)| seen(f))
        .map(|(n, f)| {
            let name = f.ident.as_ref().map_or_else(|| n.to_string(), ToString::to_string);
            format!("  {}{name}: {}", felt(&f.attrs), text(&f.ty))
        })
        .collect();
    if lines.len() < fields.len() {
        lines.push("  ..".into());
    }
    lines
}

/// An impl: what of its own is public, or that it is there.
pub(crate) fn block(block: &ItemImpl) -> Vec<String> {
    let (generics, this, wheres) = (&block.generics, &block.self_ty, &block.generics.where_clause);
    if let Some((not, of, _)) = &block.trait_ {
        return vec![format!("{}{}", felt(&block.attrs), text(&quote!(impl #generics #not #of for #this #wheres)))];
    }
    let mut lines: Vec<_> = block
        .items
        .iter()
        .filter_map(|item| match item {
            ImplItem::Fn(f) if public(&f.vis) && !crate::hidden(&f.attrs) => {
                Some(format!("  {}pub {}", felt(&f.attrs), text(&f.sig)))
            }
            ImplItem::Const(c) if public(&c.vis) && !crate::hidden(&c.attrs) => {
                Some(format!("  pub const {}: {}", c.ident, text(&c.ty)))
            }
            ImplItem::Macro(m) => Some(format!("  {}", text(m))),
            _ => None,
        })
        .collect();
    if !lines.is_empty() {
        lines.insert(0, format!("{}{}", felt(&block.attrs), text(&quote!(impl #generics #this #wheres))));
    }
    lines
}

/// Whether a macro was given this name.
pub(crate) fn mentions(call: &ItemMacro, name: &str) -> bool {
    fn within(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => within(group.stream(), name),
            _ => false,
        })
    }
    within(call.mac.tokens.clone(), name)
}

/// A macro that declares something: its name and its first word, and what it was given, without texts, a row a line.
pub(crate) fn invocation(call: &ItemMacro) -> (String, Vec<String>) {
    let mut rows = Vec::new();
    split(call.mac.tokens.clone(), &mut rows);
    let title = match rows.first() {
        Some(first) => format!("{}! {first}", text(&call.mac.path)),
        None => format!("{}!", text(&call.mac.path)),
    };
    (title, rows)
}

fn split(tokens: TokenStream, rows: &mut Vec<String>) {
    let mut row = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let end = |row: &mut TokenStream, rows: &mut Vec<String>| {
        if !row.is_empty() {
            rows.push(text(&core::mem::take(row)));
        }
    };
    while let Some(token) = tokens.next() {
        match token {
            // Attributes are documentation, or what the macro itself has in its pattern.
            TokenTree::Punct(p) if p.as_char() == '#' && matches!(tokens.peek(), Some(TokenTree::Group(_))) => {
                if let Some(TokenTree::Group(group)) = tokens.next()
                    && !group.stream().to_string().starts_with("doc")
                {
                    row.extend([TokenTree::Punct(p), TokenTree::Group(group)]);
                }
            }
            TokenTree::Punct(p) if p.as_char() == ';' => end(&mut row, rows),
            TokenTree::Literal(l) if l.to_string().starts_with('"') => {}
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
                end(&mut row, rows);
                split(group.stream(), rows);
            }
            token => row.extend([token]),
        }
    }
    end(&mut row, rows);
}

/// The heads of the public functions in a macro's rules.
pub(crate) fn functions(tokens: TokenStream, heads: &mut Vec<String>) {
    let mut head: Option<TokenStream> = None;
    for token in tokens {
        if let TokenTree::Group(group) = &token
            && group.delimiter() == proc_macro2::Delimiter::Brace
        {
            if let Some(head) = head.take().map(|head| text(&head))
                && head.contains(" fn ")
                && !head.contains("struct")
            {
                heads.push(head);
            }
            functions(group.stream(), heads);
        } else if matches!(&token, TokenTree::Ident(ident) if ident == "pub") {
            head = Some(token.into());
        } else if let Some(head) = &mut head {
            head.extend([token]);
        } else if let TokenTree::Group(group) = token {
            functions(group.stream(), heads);
        }
    }
}
