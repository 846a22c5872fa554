//! `#[behaviour]`, the attribute of a test that runs on every target.

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Nothing;
use syn::{Error, FnArg, ItemFn, Pat, parse_macro_input};

/// Creates a test for each target from a function whose first parameter is `target: Target`. The other parameters are
/// `rstest`'s values and cases.
///
/// The tests on Apache Kafka are called `…_on_kafka` and are ignored by default, because they need a cluster:
/// `make test-kafka` starts one.
#[proc_macro_attribute]
pub fn behaviour(options: TokenStream, item: TokenStream) -> TokenStream {
    parse_macro_input!(options as Nothing);
    let function = parse_macro_input!(item as ItemFn);
    match tests(&function) {
        Ok(tests) => tests.into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn tests(function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let (attributes, name, body) = (&function.attrs, &function.sig.ident, &function.block);
    let mut inputs = function.sig.inputs.iter().cloned();
    let target = inputs.next();
    let Some(FnArg::Typed(target)) = target else {
        return Err(Error::new(
            name.span(),
            "the first parameter must be the target",
        ));
    };
    let parameters: Vec<FnArg> = inputs.collect();
    let mut plain = parameters.clone();
    let mut arguments = Vec::new();
    for parameter in &mut plain {
        let FnArg::Typed(parameter) = parameter else {
            return Err(Error::new(name.span(), "a test must not have self"));
        };
        parameter.attrs.clear();
        let Pat::Ident(argument) = &*parameter.pat else {
            return Err(Error::new(name.span(), "each parameter must have a name"));
        };
        arguments.push(argument.ident.clone());
    }
    let behaviour = format_ident!("check_{name}");
    let on_kafka = format_ident!("{name}_on_kafka");
    let check = quote! {
        crate::differences::check(concat!(module_path!(), "::", stringify!(#name)), target, || #behaviour(target, #(#arguments),*));
    };
    Ok(quote! {
        fn #behaviour(#target, #(#plain),*) #body

        #[::rstest::rstest]
        #(#attributes)*
        fn #name(#[values(Target::Memory, Target::Directory, Target::Served)] target: Target, #(#parameters),*) {
            #check
        }

        #[::rstest::rstest]
        #(#attributes)*
        #[ignore = "needs Apache Kafka: make test-kafka"]
        fn #on_kafka(#(#parameters),*) {
            let target = crate::target::Target::Kafka;
            #check
        }
    })
}
