"""Where the tables of the warehouse are delivered besides: a database of a team's, in one of several engines."""
