//! Times of all cases, for one run each: what a run works through stands beside it as a rate.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use mailwright_bench_cases::{Case, Work, all};

fn main() {
    divan::main();
}

fn names(of: &str) -> Vec<String> {
    all().into_iter().map(|case| case.name).filter(|name| name.split(' ').next() == Some(of)).collect()
}

fn bench(bencher: Bencher<'_, '_>, name: &str) {
    let Some(case) = all().into_iter().find(|case: &Case| case.name == *name) else { return };
    let maker = std::cell::RefCell::new(case.open());
    let bencher = bencher.with_inputs(|| maker.borrow_mut()());
    match case.work {
        Work::Items(items) => bencher.counter(ItemsCount::new(items)).bench_local_refs(|run| run()),
        Work::Octets(octets) => bencher.counter(BytesCount::new(octets)).bench_local_refs(|run| run()),
    }
}

#[divan::bench(args = names("smtp"))]
fn smtp(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}

#[divan::bench(args = names("pop3"))]
fn pop3(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}

#[divan::bench(args = names("imap"))]
fn imap(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}

#[divan::bench(args = names("sasl"))]
fn sasl(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}

#[divan::bench(args = names("mx"))]
fn mx(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}

#[divan::bench(args = names("mime"))]
fn mime(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name);
}
