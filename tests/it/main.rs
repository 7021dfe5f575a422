mod alembic;
mod layouts;
