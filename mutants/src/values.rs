//! What a function's body is replaced with: plain values of its return type, as cargo-mutants chooses them. A type is known
//! by its name alone; what does not compile is dropped later.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

/// More than this of one function are not worth their time.
const MOST: usize = 8;

/// Expressions for what a function returns, in the order of their plainness.
pub(crate) fn of_return(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".into()],
        ReturnType::Type(_, typ) => {
            let mut values = of(typ);
            values.truncate(MOST);
            values
        }
    }
}

fn of(typ: &Type) -> Vec<String> {
    match typ {
        Type::Never(_) => Vec::new(),
        Type::Paren(inner) => of(&inner.elem),
        Type::Group(inner) => of(&inner.elem),
        Type::Tuple(tuple) if tuple.elems.is_empty() => vec!["()".into()],
        Type::Tuple(tuple) => product(&tuple.elems.iter().map(of).collect::<Vec<_>>()),
        Type::Array(array) => {
            let length = array.len.to_token_stream().to_string();
            of(&array.elem).iter().map(|value| format!("[{value}; {length}]")).collect()
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => {
                let mut values = vec!["Vec::leak(Vec::new())".to_owned()];
                values.extend(of(&slice.elem).iter().map(|value| format!("Vec::leak(vec![{value}])")));
                values
            }
            Type::Path(path) if path.path.is_ident("str") && reference.mutability.is_none() => {
                vec!["\"\"".into(), "\"xyzzy\"".into()]
            }
            elem => of(elem).iter().map(|value| format!("Box::leak(Box::new({value}))")).collect(),
        },
        Type::ImplTrait(_) => Vec::new(),
        Type::Path(path) => of_path(path),
        _ => vec!["Default::default()".into()],
    }
}

/// `impl Iterator`: the only such type that a mutant can have besides what is written, as a part of it that is empty.
pub(crate) fn is_iterator(output: &ReturnType) -> bool {
    let ReturnType::Type(_, typ) = output else { return false };
    let Type::ImplTrait(bounds) = &**typ else { return false };
    bounds.bounds.iter().any(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return false };
        bound.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Iterator"))
    })
}

fn of_path(path: &syn::TypePath) -> Vec<String> {
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let arguments: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|a| if let GenericArgument::Type(t) = a { Some(t) } else { None })
            .collect(),
        _ => Vec::new(),
    };
    let each = |shape: &dyn Fn(&str) -> String| -> Vec<String> {
        arguments.first().map(|inner| of(inner).iter().map(|value| shape(value)).collect()).unwrap_or_default()
    };
    let with = |first: &str, more: Vec<String>| [vec![first.to_owned()], more].concat();
    let name = last.ident.to_string();
    match name.as_str() {
        "bool" => vec!["true".into(), "false".into()],
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => vec!["0".into(), "1".into()],
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => vec!["0".into(), "1".into(), "-1".into()],
        "f32" | "f64" => vec!["0.0".into(), "1.0".into(), "-1.0".into()],
        "String" => vec!["String::new()".into(), "\"xyzzy\".into()".into()],
        "Option" => with("None", each(&|value| format!("Some({value})"))),
        // An alias may have its error built in.
        "Result" => each(&|value| format!("Ok({value})")),
        "Vec" => with("vec![]", each(&|value| format!("vec![{value}]"))),
        "Poll" => with("::std::task::Poll::Pending", each(&|value| format!("::std::task::Poll::Ready({value})"))),
        "Box" | "Rc" | "Arc" | "Cell" | "RefCell" | "Mutex" | "RwLock" => {
            each(&|value| format!("{name}::new({value})"))
        }
        "Cow" => each(&|value| format!("::std::borrow::Cow::Owned(({value}).to_owned())")),
        _ => vec!["Default::default()".into()],
    }
}

/// Every combination.
fn product(parts: &[Vec<String>]) -> Vec<String> {
    let mut rows = vec![Vec::new()];
    for part in parts {
        rows = rows
            .iter()
            .flat_map(|row| part.iter().map(|value| [row.clone(), vec![value.clone()]].concat()))
            .take(MOST)
            .collect();
    }
    rows.into_iter().map(|row| format!("({})", row.join(", "))).collect()
}
