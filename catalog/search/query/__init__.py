"""What is asked: from what somebody typed to the texts that answer, in order and with their words marked."""
