"""`orderstream`: the command of those who run the system, for its queues, sagas, orders and logs."""
