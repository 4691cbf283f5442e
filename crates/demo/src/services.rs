//! Who is who: the repositories, their services, and the test tool of each.

use crate::pools::{AGENTS, DOCKER, GPU, LINUX_LARGE, LINUX_SMALL, MACOS, Pool, WINDOWS};

/// The test tool of a service; it decides what suites, classes, files and failures look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tool {
    Pytest,
    Surefire,
    Jest,
    Go,
    Nextest,
    XcTest,
    NUnit,
}

/// A CI system and a repository it builds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Project {
    pub(crate) provider: &'static str,
    pub(crate) name: &'static str,
    pub(crate) default_branch: &'static str,
    /// Where the pages of its runs are, up to the run's number.
    pub(crate) run_page: &'static str,
    /// What it calls a start by a change under review.
    pub(crate) change_trigger: &'static str,
    /// The pool that does the light work.
    pub(crate) light_pool: &'static Pool,
    /// The pool that does the heavy work.
    pub(crate) heavy_pool: &'static Pool,
}

const SHOP: Project = Project {
    provider: "github",
    name: "github.com/acme/shop",
    default_branch: "main",
    run_page: "https://github.com/acme/shop/actions/runs/",
    change_trigger: "pull_request",
    light_pool: &LINUX_SMALL,
    heavy_pool: &LINUX_LARGE,
};
const MOBILE: Project = Project {
    provider: "gitlab",
    name: "gitlab.com/acme/mobile-app",
    default_branch: "main",
    run_page: "https://gitlab.com/acme/mobile-app/-/pipelines/",
    change_trigger: "merge_request",
    light_pool: &DOCKER,
    heavy_pool: &MACOS,
};
const DATA: Project = Project {
    provider: "gitlab",
    name: "gitlab.com/acme/data-platform",
    default_branch: "main",
    run_page: "https://gitlab.com/acme/data-platform/-/pipelines/",
    change_trigger: "merge_request",
    light_pool: &DOCKER,
    heavy_pool: &GPU,
};
const ERP: Project = Project {
    provider: "jenkins",
    name: "git.acme.example/erp",
    default_branch: "master",
    run_page: "https://jenkins.acme.example/job/erp/",
    change_trigger: "pull_request",
    light_pool: &AGENTS,
    heavy_pool: &WINDOWS,
};
const STOREFRONT: Project = Project {
    provider: "jenkins",
    name: "git.acme.example/storefront",
    default_branch: "master",
    run_page: "https://jenkins.acme.example/job/storefront/",
    change_trigger: "pull_request",
    light_pool: &AGENTS,
    heavy_pool: &AGENTS,
};

/// One service.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) project: Project,
    pub(crate) tool: Tool,
    /// What its tests are about.
    pub(crate) subjects: &'static [&'static str],
    /// How often people change it, 1 on average.
    pub(crate) popularity: f64,
    /// How many tests it has, 1 on average.
    pub(crate) size: f64,
}

type Seed = (&'static str, Tool, &'static [&'static str], f64, f64);

/// The services of the shop, the most important first. The first dozen carry planted facts.
const SHOP_SERVICES: &[Seed] = &[
    (
        "payments",
        Tool::Pytest,
        &["refund", "card charge", "payment intent", "chargeback", "ledger entry"],
        1.7,
        1.5,
    ),
    (
        "inventory",
        Tool::Pytest,
        &["stock level", "reservation", "supplier feed", "bin location", "recount"],
        1.4,
        1.2,
    ),
    (
        "checkout",
        Tool::Jest,
        &["address form", "payment step", "order summary", "voucher field", "basket"],
        1.8,
        1.3,
    ),
    ("search", Tool::Nextest, &["index", "shards", "ranking", "synonyms", "facets"], 1.2, 1.4),
    (
        "notifications",
        Tool::Pytest,
        &["push message", "mail template", "quiet hours", "digest", "opt out"],
        1.1,
        0.9,
    ),
    (
        "shipping",
        Tool::Surefire,
        &["label", "carrier rate", "parcel", "pickup slot", "customs form"],
        1.0,
        1.1,
    ),
    (
        "recommendations",
        Tool::Pytest,
        &["ranker", "feature store", "cold start", "embedding", "candidates"],
        0.9,
        0.9,
    ),
    ("gateway", Tool::Go, &["route", "rate limit", "retry", "upstream", "header"], 1.3, 1.0),
    ("orders", Tool::Go, &["order", "cancellation", "line item", "status change", "invoice link"], 1.5, 1.2),
    (
        "cart",
        Tool::Jest,
        &["cart total", "quantity picker", "saved item", "merge on login", "stock hint"],
        1.3,
        0.8,
    ),
    ("pricing", Tool::Go, &["price list", "discount rule", "rounding", "currency", "tier"], 1.0, 1.1),
    (
        "accounts",
        Tool::Surefire,
        &["profile", "password reset", "session", "address book", "consent"],
        1.1,
        1.2,
    ),
    ("promotions", Tool::Jest, &["voucher", "campaign", "banner", "eligibility", "countdown"], 0.8, 0.7),
    ("catalog", Tool::Surefire, &["product", "variant", "category tree", "attribute", "import"], 1.2, 1.6),
    (
        "fraud",
        Tool::Pytest,
        &["score", "velocity rule", "device print", "review queue", "block list"],
        0.7,
        1.0,
    ),
    ("identity", Tool::Go, &["token", "scope", "login", "second factor", "key rotation"], 0.8, 0.9),
    ("tax", Tool::Nextest, &["vat", "exemption", "jurisdiction", "receipt", "rate table"], 0.4, 0.8),
    ("invoicing", Tool::Surefire, &["invoice", "credit note", "dunning", "numbering", "export"], 0.6, 1.0),
    ("reviews", Tool::Jest, &["rating", "comment", "moderation", "photo upload", "helpful vote"], 0.5, 0.6),
    ("media", Tool::Nextest, &["thumbnail", "transcode", "upload", "signed link", "metadata"], 0.6, 0.9),
    ("loyalty", Tool::Surefire, &["points", "tier", "reward", "expiry", "statement"], 0.5, 0.8),
    ("warehouse", Tool::Go, &["picking", "packing", "pallet", "stocktake", "scanner"], 0.6, 0.9),
    ("analytics", Tool::Pytest, &["event", "funnel", "cohort", "rollup", "retention"], 0.7, 0.8),
    (
        "returns",
        Tool::Pytest,
        &["return label", "inspection", "refund request", "restock", "deadline"],
        0.5,
        0.7,
    ),
    ("wishlist", Tool::Jest, &["list", "share link", "price alert", "reorder", "guest list"], 0.4, 0.5),
    (
        "suppliers",
        Tool::Surefire,
        &["contract", "purchase order", "delivery note", "contact", "rating"],
        0.4,
        0.7,
    ),
];

/// What the other repositories hold.
const OTHER_SERVICES: &[(Project, Seed)] = &[
    (
        MOBILE,
        (
            "mobile-app",
            Tool::XcTest,
            &["cart screen", "login", "deep link", "offline cache", "checkout"],
            1.0,
            1.0,
        ),
    ),
    (ERP, ("erp", Tool::NUnit, &["booking", "cost centre", "month end", "journal", "approval"], 0.6, 1.3)),
    (
        DATA,
        (
            "data-platform",
            Tool::Pytest,
            &["ingest job", "schema", "partition", "backfill", "export"],
            0.8,
            1.0,
        ),
    ),
    (
        STOREFRONT,
        ("storefront", Tool::Surefire, &["landing page", "menu", "teaser", "locale", "cookie"], 0.4, 0.9),
    ),
];

/// So many services: of six, one belongs to another repository and CI system, the rest to the shop.
pub(crate) fn services(count: usize) -> Vec<Service> {
    let others = (count / 6).min(OTHER_SERVICES.len());
    let shop = SHOP_SERVICES.iter().map(|seed| (SHOP, *seed)).cycle().take(count - others).enumerate();
    let numbered = shop.map(|(position, (project, seed))| {
        let round = position / SHOP_SERVICES.len();
        let name = if round == 0 { seed.0.to_owned() } else { format!("{}-{}", seed.0, round + 1) };
        service(name, project, seed)
    });
    let rest =
        OTHER_SERVICES.iter().take(others).map(|(project, seed)| service(seed.0.to_owned(), *project, *seed));
    numbered.chain(rest).collect()
}

fn service(name: String, project: Project, (_, tool, subjects, popularity, size): Seed) -> Service {
    Service { name, project, tool, subjects, popularity, size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_however_many_there_are() {
        for count in [1, 3, 24, 100] {
            let mut names: Vec<String> = services(count).into_iter().map(|service| service.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }

    #[test]
    fn the_default_organisation_has_twenty_services_in_one_repository_and_three_providers() {
        let all = services(24);
        assert_eq!(all.iter().filter(|service| service.project == SHOP).count(), 20);
        let mut providers: Vec<&str> = all.iter().map(|service| service.project.provider).collect();
        providers.dedup();
        assert!(providers.contains(&"gitlab") && providers.contains(&"jenkins"));
    }
}
