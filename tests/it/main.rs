mod alembic;
mod servers;
