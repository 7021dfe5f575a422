mod alembic;
