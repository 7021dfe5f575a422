
mod alembic;
