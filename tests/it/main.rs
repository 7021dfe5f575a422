mod alembic;
mod layouts;
mod servers;
