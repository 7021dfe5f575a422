//! `lockgate-test-runner TOOL DIRECTORY SOCKET DATABASE`: runs what is pending in the directory.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tool, directory, socket, database] = &arguments[..] else {
        return Err("arguments: TOOL DIRECTORY SOCKET DATABASE".into());
    };
    match tool.as_str() {
        "refinery" => run_refinery(directory, socket, database),
        "sqlx" => run_sqlx(directory, socket, database),
        #[cfg(feature = "diesel")]
        "diesel" => run_diesel(directory, socket, database),
        other => Err(format!("no tool {other}").into()),
    }
}

fn run_refinery(directory: &str, socket: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let migrations = refinery::load_sql_migrations(Path::new(directory))?;
    let mut client = postgres::Config::new()
        .host_path(socket)
        .user("postgres")
        .dbname(database)
        .connect(postgres::NoTls)?;
    refinery::Runner::new(&migrations).run(&mut client)?;
    Ok(())
}

fn run_sqlx(directory: &str, socket: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let options = sqlx::postgres::PgConnectOptions::new()
            .socket(socket)
            .username("postgres")
            .database(database);
        let pool = sqlx::PgPool::connect_with(options).await?;
        let migrator = sqlx::migrate::Migrator::new(Path::new(directory)).await?;
        migrator.run(&pool).await?;
        Ok(())
    })
}

#[cfg(feature = "diesel")]
fn run_diesel(directory: &str, socket: &str, database: &str) -> Result<(), Box<dyn Error>> {
    use diesel::Connection as _;
    use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

    let url = format!("host={socket} user=postgres dbname={database}");
    let mut connection = diesel::PgConnection::establish(&url)?;
    let migrations = FileBasedMigrations::from_path(directory)?;
    connection
        .run_pending_migrations(migrations)
        .map_err(|error| error.to_string())?;
    Ok(())
}
