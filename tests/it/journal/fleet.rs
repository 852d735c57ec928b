//! Many holders of one database, on bad days.
