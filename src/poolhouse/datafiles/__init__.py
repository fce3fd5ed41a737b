"""What is known of the world from files: passwords that attackers know, and where addresses are."""
