//! CI systems: their webhooks, their environments and their APIs, turned into records.
