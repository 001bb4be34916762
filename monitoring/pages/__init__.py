"""What the operations pages show: questions to the database, answered as plain objects."""
